use shared::{
    domain::LockedBy,
    wire::{dialect::B, operation::*},
};

use crate::shown::Member;

/// Log in by the device (document B).
///
/// `X-Device-Id` is of 16 to 128 letters, digits, `-` or `_`, and a secret: whoever has it is signed in. A token sent
/// beside it ties the device to the token's user. When that user sets a new password, the device signs
/// nobody in (401) until a token of theirs ties it again.
#[derive(Deserialize, JsonSchema)]
pub struct MUserLogin {}

impl Operation for MUserLogin {
    type Dialect = B;
    type Caller = Device;
    type Response = Member;
    const ROUTE: Route = Route::post("/m_user/login");
    const REFUSES: &'static [Refusal] =
        &[Refusal::NotRegistered, Refusal::UnderReview, Refusal::Locked(LockedBy::Operator)];

    async fn handle(self, device: Device, app: &App) -> Result<Member, Refusal> {
        match app.store.log_in_by_device(&device.id).await? {
            Some(user) => Member::of(&user, app),
            None => Err(Device::unregistered(device.app_version.as_deref(), app).await),
        }
    }
}
