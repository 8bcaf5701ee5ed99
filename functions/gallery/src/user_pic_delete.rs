use shared::wire::{dialect::A, operation::*, values::PictureNumber};

/// Delete a picture of the caller's (ours, beside document A). One that is gone already is fine.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDelete {
    pic_id: PictureNumber,
}

impl Operation for UserPicDelete {
    type Dialect = A;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/user/pic/delete");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        if let Some(picture) = app.store.own_picture(caller, self.pic_id.0).await? {
            // The object goes first: what ends half way, a repeat can still find and finish.
            app.media().withdraw(std::slice::from_ref(&picture.media)).await?;
            app.store.remove_picture(&picture).await?;
        }
        Ok(Done {})
    }
}
