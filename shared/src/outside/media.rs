use aws_sdk_s3::{
    Client,
    config::Builder,
    primitives::ByteStream,
    types::{Delete, ObjectIdentifier},
};
use aws_types::SdkConfig;

use super::aws;
use crate::domain::{MediaId, Refusal, World, picture::Rendition};

/// The object store, of which only what lies under `media/` is served.
pub struct Media {
    client: Client,
    bucket: String,
    base_url: String,
    world: World,
}

impl Media {
    /// `base_url`: where `media/` is served, without a slash at its end.
    pub fn new(settings: &SdkConfig, endpoint: Option<&str>, bucket: &str, base_url: &str, world: World) -> Self {
        let mut config = Builder::from(settings);
        if let Some(endpoint) = endpoint {
            // A stand-in has one name for all buckets.
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        let (bucket, base_url) = (bucket.to_owned(), base_url.trim_end_matches('/').to_owned());
        Self { client: Client::from_conf(config.build()), bucket, base_url, world }
    }

    /// Keeps a picture that was checked, and serves it from now on.
    pub async fn publish(&self, picture: Rendition) -> Result<MediaId, Refusal> {
        let id = MediaId::fresh(&self.world, picture.format.extension());
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("media/{id}"))
            .content_type(picture.format.content_type())
            // What an id names never changes; but what was deleted must not be served for long.
            .cache_control("public, max-age=31536000, s-maxage=300, immutable")
            .body(ByteStream::from(picture.bytes))
            .send()
            .await
            .map_err(|error| aws::refusal("S3", &error))?;
        Ok(id)
    }

    /// Takes objects away; what is gone already is fine. One request for up to 1,000.
    pub async fn withdraw(&self, ids: &[MediaId]) -> Result<(), Refusal> {
        if ids.is_empty() {
            return Ok(());
        }
        let malformed = |_| Refusal::Internal;
        let object = |id: &MediaId| ObjectIdentifier::builder().key(format!("media/{id}")).build().map_err(malformed);
        let objects = ids.iter().map(object).collect::<Result<_, _>>()?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(malformed)?;
        let request = self.client.delete_objects().bucket(&self.bucket).delete(delete);
        let answer = request.send().await.map_err(|error| aws::refusal("S3", &error))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => {
                tracing::warn!(kind = error.code(), left = answer.errors().len(), "S3 did not delete all objects");
                Err(Refusal::Unavailable)
            }
        }
    }

    /// Where the object is served.
    pub fn url(&self, id: &MediaId) -> String {
        format!("{}/{id}", self.base_url)
    }
}
