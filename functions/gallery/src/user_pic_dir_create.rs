use shared::wire::{
    dialect::A,
    operation::*,
    values::{GalleryNumber, Line},
};

/// Make a gallery (ours, beside document A). At most 200 a user.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDirCreate {
    /// Up to 64 characters.
    name: Line<1, 64>,
}

#[derive(Serialize, JsonSchema)]
pub struct Created {
    pic_dir_id: GalleryNumber,
}

impl Operation for UserPicDirCreate {
    type Dialect = A;
    type Caller = SignedIn;
    type Response = Created;
    const ROUTE: Route = Route::post("/user/pic_dir/create");
    const LIMIT: Option<Limit> = Some(Limit::Galleries);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Created, Refusal> {
        let id = app.store.create_gallery(caller, &self.name.0).await?;
        Ok(Created { pic_dir_id: GalleryNumber(id) })
    }
}
