use shared::wire::{dialect::B, operation::*, values::NamedUser};

use crate::shown::MemberProfile;

/// Read what a member says of themself (document B).
///
/// `is_vip` and `vip_left` are there only where the caller asks for themself.
#[derive(Deserialize, JsonSchema)]
pub struct MUserUsersGet {
    user_id: NamedUser,
}

impl Operation for MUserUsersGet {
    type Dialect = B;
    type Caller = Reader;
    type Response = MemberProfile;
    const ROUTE: Route = Route::get("/m_user/users/{user_id}");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<MemberProfile, Refusal> {
        let user = app.store.profile(self.user_id.0).await?.ok_or(Refusal::NoSuch(Thing::User))?;
        Ok(if user.id == caller { MemberProfile::of_oneself(&user, app) } else { MemberProfile::of_other(&user) })
    }
}
