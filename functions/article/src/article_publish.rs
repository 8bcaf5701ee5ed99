use shared::{
    domain::{MediaClass, UploadFault, text::is_blank},
    wire::{
        dialect::D,
        operation::*,
        values::{ArticleNumber, List, MediaKey, Prose},
    },
};

/// Publish an article: text, images or both (document D).
///
/// Images are ids from `get_media_id` under which the caller has uploaded one. Followers see it within seconds.
#[derive(Deserialize, JsonSchema)]
pub struct ArticlePublish {
    /// Up to 5,000 characters. May be missing beside images.
    #[serde(default)]
    content: Prose<0, 5_000>,
    /// Up to nine, each once.
    #[serde(default)]
    images: List<MediaKey, 0, 9>,
}

#[derive(Serialize, JsonSchema)]
pub struct PublishedArticle {
    article_id: ArticleNumber,
}

impl Operation for ArticlePublish {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = PublishedArticle;
    const ROUTE: Route = Route::post("/article_publish");
    const LIMIT: Option<Limit> = Some(Limit::Articles);
    const REFUSES: &'static [Refusal] =
        &[Refusal::Upload("images", UploadFault::NoPicture), Refusal::Upload("images", UploadFault::TooLarge)];

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<PublishedArticle, Refusal> {
        if self.images.0.is_empty() && is_blank(&self.content.0) {
            return Err(Refusal::malformed(
                "content",
                words!("write something, or send images", "请写点内容，或发送图片"),
            ));
        }
        let images: Vec<_> = self.images.0.into_iter().map(|image| image.0).collect();
        if (1..images.len()).any(|at| images[..at].contains(&images[at])) {
            return Err(Refusal::malformed("images", words!("the same image twice", "同一张图片出现了两次")));
        }
        app.own_media(caller, &images, MediaClass::Image, "images").await?;
        let id = app.store.publish_article(caller, &self.content.0, images).await?;
        Ok(PublishedArticle { article_id: ArticleNumber(id) })
    }
}
