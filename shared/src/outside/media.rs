use std::{ops::Range, time::Duration};

use aws_sdk_s3::{
    Client,
    config::{Builder, RequestChecksumCalculation, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::{copy_object::builders::CopyObjectFluentBuilder, put_object::builders::PutObjectFluentBuilder},
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier, TaggingDirective},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use bytes::Bytes;

use super::aws;
use crate::{
    domain::{MediaId, Refusal, System, hex, picture::Rendition},
    meter::Counted,
};

/// What an id names never changes; but what was deleted must not be served for long.
const CACHING: &str = "public, max-age=31536000, s-maxage=300, immutable";
/// How long an export's URL may be used.
const EXPORT_LIFE: Duration = Duration::from_secs(15 * 60);
/// How long an upload's URL may be used.
const UPLOAD_LIFE: Duration = Duration::from_secs(15 * 60);
/// The object store copies 200 MiB before it answers.
const COPY_LIMIT: Duration = Duration::from_secs(40);
/// Of a published recording: how many whole seconds it has.
const SECONDS: &str = "whole-seconds";

/// The object store. Of it only what lies under `media/` is served; under `upload/` lies what is to be checked, and under
/// `check/` what is being checked and nobody else can write; under `export/` what users are told of themselves.
pub struct Media {
    client: Client,
    bucket: String,
    base_url: String,
    system: System,
}

/// An upload as it is in one moment: whoever writes it again makes another one. (Its ETag alone does not tell the two
/// apart: it is an MD5, and two files of one MD5 are made in seconds.)
#[derive(Clone, Debug)]
pub struct Upload {
    /// In bytes.
    pub size: u64,
    etag: String,
    key: String,
}

/// What is served under an id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    pub whole_seconds: Option<u64>,
}

impl Media {
    /// `base_url`: where `media/` is served, without a slash at its end.
    pub fn new(settings: &SdkConfig, endpoint: Option<&str>, bucket: &str, base_url: &str, system: System) -> Self {
        let mut config = Builder::from(settings).interceptor(Counted);
        if let Some(endpoint) = endpoint {
            // A stand-in has one name for all buckets.
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        let (bucket, base_url) = (bucket.to_owned(), base_url.trim_end_matches('/').to_owned());
        Self { client: Client::from_conf(config.build()), bucket, base_url, system }
    }

    /// The request that serves a picture under an id.
    fn put(&self, id: &MediaId, picture: Rendition) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("media/{id}"))
            .content_type(picture.format.content_type())
            .cache_control(CACHING)
            .body(ByteStream::from(picture.bytes))
    }

    /// Takes objects away; what is gone already is fine. One request for up to 1,000.
    pub async fn withdraw(&self, ids: &[MediaId]) -> Result<(), Refusal> {
        self.remove(ids.iter().map(|id| format!("media/{id}")).collect()).await
    }

    /// The same, with uploads that are still to be checked. One request for up to 500.
    pub async fn withdraw_all(&self, ids: &[MediaId]) -> Result<(), Refusal> {
        self.remove(ids.iter().flat_map(|id| [format!("media/{id}"), format!("upload/{id}")]).collect()).await
    }

    async fn remove(&self, keys: Vec<String>) -> Result<(), Refusal> {
        if keys.is_empty() {
            return Ok(());
        }
        let malformed = |_| Refusal::Internal;
        let object = |key: String| ObjectIdentifier::builder().key(key).build().map_err(malformed);
        let objects = keys.into_iter().map(object).collect::<Result<_, _>>()?;
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

    /// Where anybody may PUT the upload of this name, for 15 minutes, with any Content-Type and no other header.
    pub async fn upload_url(&self, id: &MediaId) -> Result<String, Refusal> {
        let life = PresigningConfig::expires_in(UPLOAD_LIFE).map_err(|_| Refusal::Internal)?;
        // Of a checksum, which the SDK would add, a plain client knows nothing.
        let plain = Builder::new().request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        let request = self.client.put_object().bucket(&self.bucket).key(format!("upload/{id}"));
        let signed = request.customize().config_override(plain).presigned(life).await;
        signed.map(|signed| signed.uri().to_owned()).map_err(|error| aws::refusal("S3", &error))
    }

    /// The upload, where there is one.
    pub async fn upload(&self, id: &MediaId) -> Result<Option<Upload>, Refusal> {
        self.as_it_is(format!("upload/{id}")).await
    }

    async fn as_it_is(&self, key: String) -> Result<Option<Upload>, Refusal> {
        let head = self.client.head_object().bucket(&self.bucket).key(&key).send().await;
        let Some(head) = there(head)? else { return Ok(None) };
        let size = head.content_length().and_then(|length| length.try_into().ok());
        let upload = size.zip(head.e_tag).map(|(size, etag)| Upload { size, etag, key });
        upload.map(Some).ok_or(Refusal::Internal)
    }

    /// A copy of an upload that nobody else can write: what is found of it holds for good. `None`: the upload is gone, or
    /// another one by now. [`Media::drop_copy`] ends it, or the bucket after a day.
    pub async fn set_aside(&self, upload: &Upload) -> Result<Option<Upload>, Refusal> {
        let key = format!("check/{}", hex(&self.system.random::<16>()));
        let copy = self.copy(upload, &key).customize().config_override(patient());
        match there(copy.send().await)? {
            Some(_) => self.as_it_is(key).await,
            None => Ok(None),
        }
    }

    fn copy(&self, upload: &Upload, to: &str) -> CopyObjectFluentBuilder {
        let from = format!("{}/{}", self.bucket, upload.key);
        self.client.copy_object().bucket(&self.bucket).key(to).copy_source(from).copy_source_if_match(&upload.etag)
    }

    /// Some bytes of an upload. `None`: it is gone, or another one by now.
    pub async fn read(&self, from: &Upload, range: Range<u64>) -> Result<Option<Bytes>, Refusal> {
        let request = self.client.get_object().bucket(&self.bucket).key(&from.key).if_match(&from.etag);
        let request = request.range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let Some(part) = there(request.send().await)? else { return Ok(None) };
        if part.e_tag() != Some(&from.etag) {
            return Ok(None);
        }
        let bytes = part.body.collect().await.map_err(|_| Refusal::Unavailable)?.into_bytes();
        Ok(Some(bytes).filter(|bytes| bytes.len() as u64 == range.end - range.start))
    }

    /// What is served under this id, where something is.
    pub async fn published(&self, id: &MediaId) -> Result<Option<Published>, Refusal> {
        let head = self.client.head_object().bucket(&self.bucket).key(format!("media/{id}")).send().await;
        let seconds = |seconds: &String| seconds.parse().ok();
        Ok(there(head)?.map(|head| {
            let whole_seconds = head.metadata().and_then(|metadata| metadata.get(SECONDS)).and_then(seconds);
            Published { whole_seconds }
        }))
    }

    /// Serves a picture made from an upload under the upload's id, unless something is served there.
    /// `false`: something is, or is just about to be.
    pub async fn publish_picture(&self, id: &MediaId, picture: Rendition) -> Result<bool, Refusal> {
        Ok(there(self.put(id, picture).if_none_match("*").send().await)?.is_some())
    }

    /// Serves the very bytes of a recording that were checked under the upload's id, unless something is served there.
    /// `false`: something is, or is just about to be.
    pub async fn publish_recording(
        &self,
        id: &MediaId,
        recording: Bytes,
        content_type: &str,
        published: Published,
    ) -> Result<bool, Refusal> {
        let mut request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("media/{id}"))
            .if_none_match("*")
            .content_type(content_type)
            .cache_control(CACHING)
            .body(recording.into());
        if let Some(seconds) = published.whole_seconds {
            request = request.metadata(SECONDS, seconds.to_string());
        }
        let request = request.customize().config_override(patient());
        Ok(there(request.send().await)?.is_some())
    }

    /// Serves a copy that was checked, as it is, under the upload's id, unless something is served there. `false`:
    /// something is, or is just about to be.
    pub async fn publish_copy(&self, id: &MediaId, copy: &Upload, content_type: &str) -> Result<bool, Refusal> {
        let request = self
            .copy(copy, &format!("media/{id}"))
            .if_none_match("*")
            // Nothing that the uploader said of it.
            .metadata_directive(MetadataDirective::Replace)
            .tagging_directive(TaggingDirective::Replace)
            .content_type(content_type)
            .cache_control(CACHING);
        Ok(there(request.customize().config_override(patient()).send().await)?.is_some())
    }

    /// Keeps a whole export. Nobody guesses its name, and only [`Media::export_url`] serves it.
    pub async fn put_export(&self, name: &str, text: String) -> Result<(), Refusal> {
        let request = self.client.put_object().bucket(&self.bucket).key(export_key(name)).content_type(JSON);
        let sent = request.body(text.into_bytes().into()).customize().config_override(patient()).send().await;
        sent.map(drop).map_err(|error| aws::refusal("S3", &error))
    }

    /// Begins an export that comes in pieces of 5 MiB or more, but for the last.
    pub async fn begin_export(&self, name: &str) -> Result<String, Refusal> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(export_key(name));
        let begun = request.content_type(JSON).send().await.map_err(|error| aws::refusal("S3", &error))?;
        begun.upload_id.ok_or(Refusal::Internal)
    }

    /// Keeps one of its pieces, and gives what [`Media::end_export`] knows it by. `None`: there is no such upload any more.
    pub async fn put_piece(
        &self,
        name: &str,
        upload: &str,
        number: usize,
        text: String,
    ) -> Result<Option<String>, Refusal> {
        let number = i32::try_from(number).map_err(|_| Refusal::Internal)?;
        let request = self.client.upload_part().bucket(&self.bucket).key(export_key(name)).upload_id(upload);
        let request = request.part_number(number).body(text.into_bytes().into());
        Ok(there(request.customize().config_override(patient()).send().await)?.and_then(|kept| kept.e_tag))
    }

    /// Makes one of all pieces. `false`: there is no such upload any more.
    pub async fn end_export(&self, name: &str, upload: &str, pieces: &[String]) -> Result<bool, Refusal> {
        let part = |(number, piece): (i32, &String)| CompletedPart::builder().part_number(number).e_tag(piece).build();
        let parts = CompletedMultipartUpload::builder().set_parts(Some((1..).zip(pieces).map(part).collect())).build();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(export_key(name));
        let request = request.upload_id(upload).multipart_upload(parts).customize().config_override(patient());
        Ok(there(request.send().await)?.is_some())
    }

    /// Where an export can be fetched, for 15 minutes.
    pub async fn export_url(&self, name: &str) -> Result<String, Refusal> {
        let life = PresigningConfig::expires_in(EXPORT_LIFE).map_err(|_| Refusal::Internal)?;
        let request = self.client.get_object().bucket(&self.bucket).key(export_key(name));
        let signed = request.presigned(life).await;
        signed.map(|signed| signed.uri().to_owned()).map_err(|error| aws::refusal("S3", &error))
    }

    /// Takes an export away; one that is gone is fine.
    pub async fn drop_export(&self, name: &str) -> Result<(), Refusal> {
        let request = self.client.delete_object().bucket(&self.bucket).key(export_key(name));
        request.send().await.map(drop).map_err(|error| aws::refusal("S3", &error))
    }

    /// Takes away what [`Media::set_aside`] has made.
    pub async fn drop_copy(&self, copy: &Upload) -> Result<(), Refusal> {
        let request = self.client.delete_object().bucket(&self.bucket).key(&copy.key);
        request.send().await.map(drop).map_err(|error| aws::refusal("S3", &error))
    }

    /// Takes an upload away, by what follows `upload/` in its key; one that is gone is fine.
    pub async fn drop_upload(&self, name: &str) -> Result<(), Refusal> {
        let request = self.client.delete_object().bucket(&self.bucket).key(format!("upload/{name}"));
        request.send().await.map(drop).map_err(|error| aws::refusal("S3", &error))
    }
}

const JSON: &str = "application/json";

fn export_key(name: &str) -> String {
    format!("export/{name}.json")
}

/// For what the object store takes long to do.
fn patient() -> Builder {
    let limits = TimeoutConfig::builder().operation_attempt_timeout(COPY_LIMIT).operation_timeout(COPY_LIMIT);
    Builder::new().timeout_config(limits.build())
}

/// `None` where the object is not there, or not as it should be: 404, 409, 412, 416.
fn there<T, E: ProvideErrorMetadata>(answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, Refusal> {
    match answer {
        Ok(done) => Ok(Some(done)),
        Err(error) => match error.raw_response().map(|response| response.status().as_u16()) {
            Some(404 | 409 | 412 | 416) => Ok(None),
            // A copy says so after it has begun to answer.
            _ if error.code() == Some("PreconditionFailed") => Ok(None),
            _ => Err(aws::refusal("S3", &error)),
        },
    }
}
