use shared::wire::{
    dialect::A,
    operation::*,
    values::{GalleryNumber, is_one_line},
};

/// Make a gallery (ours, beside document A). At most 200 a user.
#[derive(Deserialize, JsonSchema, Validate)]
pub struct UserPicDirCreate {
    /// Up to 64 characters.
    #[garde(length(chars, min = 1, max = 64), custom(is_one_line))]
    name: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Created {
    pic_dir_id: GalleryNumber,
}

impl Operation for UserPicDirCreate {
    type Dialect = A;
    type Caller = SignedIn;
    type Response = Created;
    const ROUTE: Route = Route::post("/user/pic_dir/create");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Created, Refusal> {
        let id = app.store.create_gallery(caller, &self.name).await?;
        Ok(Created { pic_dir_id: GalleryNumber(id) })
    }
}
