use shared::wire::{dialect::B, operation::*};

use crate::{
    m_user_users_patch::{Change, MUserUsersPatch},
    shown::MemberProfile,
};

/// Change what one says of oneself, nickname and gender at least (document B).
///
/// Beside these two, what is not sent stays as it is. Only the user themself may: anybody else's is 403.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("required" = ["user_id", "nickname", "gender"]))]
pub struct MUserUsersPut(Change);

impl Operation for MUserUsersPut {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = MemberProfile;
    const ROUTE: Route = Route::put("/m_user/users/{user_id}");
    const REFUSES: &'static [Refusal] = MUserUsersPatch::REFUSES;

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<MemberProfile, Refusal> {
        match &self.0 {
            Change { nickname: None, .. } => Err(Refusal::missing("nickname")),
            Change { gender: None, .. } => Err(Refusal::missing("gender")),
            _ => self.0.make(caller, app).await,
        }
    }
}
