use shared::{
    domain::Gender,
    store::{Changes, LoggedIn, SignUp},
    wire::{
        dialect::B,
        operation::*,
        values::{Nickname, Whole},
    },
};

use crate::shown::{Icon, Member};

/// Register the user of a device (document B).
///
/// From then on the device signs them in. One that has a user already is 409.
#[derive(Deserialize, JsonSchema)]
pub struct MUserUsersPost {
    /// Up to 64 characters; without one the user gets one.
    nickname: Option<Nickname>,
    /// Male or female.
    gender: Gender,
    icon: Option<Icon>,
    /// In years.
    age: Whole<u8, 0, 150>,
}

impl Operation for MUserUsersPost {
    type Dialect = B;
    type Caller = Device;
    type Response = Member;
    const ROUTE: Route = Route::post("/m_user/users");

    async fn handle(self, device: Device, app: &App) -> Result<Member, Refusal> {
        let icon = self.icon.map(|icon| icon.0);
        let first = Changes {
            nickname: self.nickname.map(|text| text.0),
            gender: Some(self.gender),
            age: Some(self.age.0),
            avatar: icon.clone(),
            large_avatar: icon,
            ..Changes::default()
        };
        let profile = app.store.create_user(&SignUp::Device(device.id), None, first).await;
        let profile = profile.map_err(Refusal::of("X-Device-Id"))?;
        Member::of(&LoggedIn::for_the_first_time(profile), app)
    }
}
