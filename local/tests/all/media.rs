//! Uploads past the functions: by presigned PUT into the bucket, checked by what its events run, and only then served.
use std::{collections::HashSet, io::Cursor};

use aws_lambda_events::s3::S3Event;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use image::{GenericImageView as _, ImageFormat, Rgb, RgbImage};
use local::{Options, Plaza, engines};
use serde_json::json;
use shared::{
    domain::{DAY, MINUTE, MediaClass, MediaId, MediaKind, Refusal, UploadFault, UserId},
    function,
    outside::aws,
    store::{Banner, MediaRecord, MediaStatus, Place, keys},
};

use crate::support::{Fault, START, Test, picture};

const PHONE: &str = "13800138001";
const OTHER: &str = "13800138002";
/// More than anybody tries again.
const MANY: usize = 100;

/// Somebody with a name for a file.
struct Upload {
    id: MediaId,
    url: String,
}

async fn named(test: &Test, token: &str, content_type: &str) -> Upload {
    let answer = test.json("/get_media_id", json!({"token": token, "content_type": content_type})).await;
    let text = |name: &str| answer.body[name].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    Upload { id: MediaId(text("media_id")), url: text("upload_url") }
}

/// As plain a client as there is.
async fn send(method: Method, url: &str, content_type: Option<&str>, body: impl Into<Bytes>) -> (StatusCode, Bytes) {
    let mut request = Request::builder().method(method).uri(url);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
    let status = answer.status();
    (status, answer.into_body().collect().await.unwrap().to_bytes())
}

impl Upload {
    async fn put(&self, body: impl Into<Bytes>) {
        let (status, answer) = send(Method::PUT, &self.url, None, body).await;
        assert_eq!(status, StatusCode::OK, "{answer:?}");
    }

    /// What is served: content type and bytes.
    async fn served(&self, test: &Test) -> Option<(String, Bytes)> {
        let (status, content_type, bytes) = test.fetch(&test.plaza.app.media().url(&self.id)).await;
        (status == StatusCode::OK).then_some((content_type, bytes))
    }

    async fn record(&self, test: &Test) -> Option<MediaRecord> {
        test.plaza.app.store.media(&self.id).await.unwrap()
    }

    async fn standing(&self, test: &Test) -> Option<MediaStatus> {
        self.record(test).await.map(|record| record.standing)
    }

    async fn is_refused(&self, test: &Test, wanted: MediaStatus) {
        assert_eq!(self.standing(test).await, Some(wanted));
        assert_eq!(self.served(test).await, None);
        assert_eq!(objects(test).await, [""; 0]);
    }

    fn event(&self) -> S3Event {
        created(&format!("upload/{}", self.id))
    }
}

fn created(key: &str) -> S3Event {
    engines::created("plaza-media", key, 1, "e")
}

async fn objects(test: &Test) -> Vec<String> {
    test.objects().await.0
}

async fn handle(test: &Test, event: S3Event) {
    media::handle(&test.plaza.app, event).await.unwrap();
}

async fn start() -> (Test, UserId, String) {
    let test = Test::start().await;
    let (user, token) = test.user(PHONE).await;
    (test, UserId(user), token)
}

const SECRET: &[u8] = b"31.2304N 121.4737E\0\0";

/// A photo of these sides as a phone stores it: on its side, and telling where it was taken.
fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08".to_vec();
    exif.extend(b"\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0");
    exif.extend(b"\0\x01\0\x12\0\x02\0\0\0\x14\0\0\0\x38\0\0\0\0");
    exif.extend(SECRET);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let mut jpeg = picture(width, height);
    jpeg.splice(2..2, [&[0xFF, 0xE1], &length[..], &exif].concat());
    jpeg
}

fn image(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(vec![]);
    RgbImage::from_pixel(40, 30, Rgb([200, 100, 50])).write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// So many seconds of one sample again and again, one byte each, 8000 a second.
fn wav(seconds: usize, sample: u8) -> Vec<u8> {
    let data = vec![sample; seconds * 8000];
    let format = b"fmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0";
    let chunks = [&b"WAVE"[..], format, b"data", &(data.len() as u32).to_le_bytes(), &data].concat();
    [&b"RIFF"[..], &(chunks.len() as u32).to_le_bytes(), &chunks].concat()
}

/// 26 ms a frame.
fn mp3(frames: usize) -> Vec<u8> {
    [&b"ID3\x04\0\0\0\0\0\x05tagXX"[..], &[&[0xFF, 0xFB, 0x90, 0][..], &[0; 413]].concat().repeat(frames)].concat()
}

fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes(), &name[..], body].concat()
}

/// Seven seconds of `vide` or `soun`, the description at the end, as phones write it.
fn mp4(handler: &[u8; 4], data: usize) -> Vec<u8> {
    let header = boxed(b"mvhd", &[&[0; 12], &600_u32.to_be_bytes()[..], &4200_u32.to_be_bytes(), &[0; 80]].concat());
    let handler = boxed(b"hdlr", &[&[0; 8], &handler[..], &[0; 13]].concat());
    let track = boxed(b"trak", &boxed(b"mdia", &handler));
    let description = boxed(b"moov", &[header, track].concat());
    [boxed(b"ftyp", b"isom\0\0\0\0isom"), boxed(b"mdat", &vec![7; data]), description].concat()
}

#[tokio::test]
async fn a_photo_is_served_upright_and_without_what_it_tells() {
    let (test, user, token) = start().await;
    let upload = named(&test, &token, "image/jpeg").await;
    assert_eq!(upload.served(&test).await, None);
    let file = photo(2400, 1200);
    assert!(contains(&file, SECRET));
    upload.put(file).await;

    // Served at once, for the uploader's next request.
    let (content_type, served) = upload.served(&test).await.unwrap();
    assert_eq!(content_type, "image/jpeg");
    assert!(!contains(&served, SECRET) && !contains(&served, b"Exif"));
    let pixels = image::load_from_memory_with_format(&served, ImageFormat::Jpeg).unwrap();
    assert_eq!(pixels.dimensions(), (1024, 2048));
    assert_eq!(objects(&test).await, [format!("media/{}", upload.id)]);
    let record = upload.record(&test).await.unwrap();
    assert_eq!((record.owner, record.standing, record.whole_seconds), (user, MediaStatus::Checked, None));
}

#[tokio::test]
async fn images_are_served_as_what_they_became_whatever_was_asked_for() {
    let (test, _, token) = start().await;
    for asked_for in ["image/jpeg", "image/jpg", "image/png", "image/webp", "image/gif"] {
        for (sent_as, format, served_as) in [
            ("image/jpeg", ImageFormat::Jpeg, "image/jpeg"),
            ("image/png", ImageFormat::Png, "image/png"),
            ("image/webp", ImageFormat::WebP, "image/jpeg"),
            ("image/gif", ImageFormat::Gif, "image/jpeg"),
        ] {
            let upload = named(&test, &token, asked_for).await;
            let (status, _) = send(Method::PUT, &upload.url, Some(sent_as), image(format)).await;
            assert_eq!(status, StatusCode::OK);
            let (served_now, bytes) = upload.served(&test).await.unwrap();
            assert_eq!(served_now, served_as, "{format:?} where {asked_for} was asked for");
            let wanted = ImageFormat::from_mime_type(served_as).unwrap();
            assert_eq!(image::load_from_memory_with_format(&bytes, wanted).unwrap().dimensions(), (40, 30));
        }
    }
}

#[tokio::test]
async fn a_film_is_served_as_what_it_is_whatever_was_asked_for() {
    let (test, _, token) = start().await;
    for asked_for in ["video/mp4", "video/quicktime"] {
        for (brand, served_as) in [(b"isom", "video/mp4"), (b"mp42", "video/mp4"), (b"qt  ", "video/quicktime")] {
            let mut file = mp4(b"vide", 100);
            file[8..12].copy_from_slice(brand);
            let upload = named(&test, &token, asked_for).await;
            let (status, _) = send(Method::PUT, &upload.url, Some(asked_for), file.clone()).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(upload.served(&test).await.unwrap(), (served_as.to_owned(), file.into()));
        }
    }
}

#[tokio::test]
async fn an_event_without_records_is_nothing_to_do() {
    let (test, ..) = start().await;
    for text in [
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-01T00:00:00.000Z","Bucket":"plaza-media"}"#,
        r#"{"Records":null}"#,
        r#"{"Records":[]}"#,
        "{}",
    ] {
        handle(&test, media::event(serde_json::from_str(text).unwrap())).await;
        let answer = fanout::handle(&test.plaza.app, serde_json::from_str(text).unwrap(), u64::MAX).await;
        assert_eq!(serde_json::to_value(answer).unwrap(), json!({"batchItemFailures": []}));
    }
    let sent = serde_json::to_string(&created("upload/x.jpeg")).unwrap();
    assert_eq!(media::event(serde_json::from_str(&sent).unwrap()).records.len(), 1);
}

#[tokio::test]
async fn recordings_are_served_as_they_are_and_say_how_long_they_are() {
    let (test, _, token) = start().await;
    for (content_type, file, seconds) in [
        ("audio/wav", wav(3, 128), Some(3)),
        ("audio/mpeg", mp3(100), Some(3)),
        ("audio/mp4", mp4(b"soun", 5000), Some(7)),
        ("audio/mp4", [&mp4(b"soun", 5000)[..], b"\0\0\0\0"].concat(), Some(7)),
        ("audio/wav", [&wav(3, 128)[..40], &[0xFF; 4], &wav(3, 128)[44..]].concat(), Some(3)),
        ("video/mp4", mp4(b"vide", 3_000_000), None),
    ] {
        let upload = named(&test, &token, content_type).await;
        // What the client says that it is does not count.
        let (status, _) = send(Method::PUT, &upload.url, Some("text/html"), file.clone()).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(upload.served(&test).await.unwrap(), (content_type.to_owned(), file.into()));
        let record = upload.record(&test).await.unwrap();
        assert_eq!((record.standing, record.whole_seconds), (MediaStatus::Checked, seconds), "{content_type}");
    }
    assert!(objects(&test).await.iter().all(|key| key.starts_with("media/")));
}

#[tokio::test]
async fn a_film_is_not_downloaded() {
    let (test, _, token) = start().await;
    let upload = named(&test, &token, "video/mp4").await;
    test.plaza.engines.uploads.hold();
    upload.put(mp4(b"vide", 3_000_000)).await;
    let event = test.plaza.engines.uploads.held().remove(0);
    let ((), cost) = test.line.meter(handle(&test, event)).await;
    let mut calls = cost.0.into_iter().map(|call| call.operation).collect::<Vec<_>>();
    // The two that look come together.
    calls[1..3].sort();
    let heads = ["GET"; 4];
    // It is looked at in a copy of ours.
    let (look, copy) = (["Query", "HEAD", "HEAD", "TransactWriteItems"], ["PUT", "HEAD"]);
    assert_eq!(calls, [&look[..], &copy, &heads, &["PUT", "DELETE", "UpdateItem", "DELETE"]].concat());
    let left = test.objects().await.0;
    assert!(!left.is_empty() && left.iter().all(|key| key.starts_with("media/")), "{left:?}");
}

#[tokio::test]
async fn what_is_not_what_it_says_is_removed() {
    let (test, _, token) = start().await;
    let text = "It was a dark and stormy night. ".repeat(500).into_bytes();
    for (content_type, file) in [
        ("image/png", b"II\x2A\0\x08\0\0\0".to_vec()),
        ("image/jpeg", mp4(b"vide", 100)),
        ("image/webp", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
        ("image/gif", text.clone()),
        ("image/jpeg", vec![]),
        ("audio/mpeg", text.clone()),
        ("audio/mpeg", wav(1, 128)),
        ("audio/wav", mp3(100)),
        ("audio/mp4", mp4(b"vide", 100)),
        ("video/mp4", mp4(b"soun", 100)),
        ("video/mp4", text.clone()),
        ("video/mp4", vec![]),
    ] {
        let upload = named(&test, &token, content_type).await;
        upload.put(file).await;
        upload.is_refused(&test, MediaStatus::Refused).await;
        // Nor does a better try help: what was found stays.
        upload.put(image(ImageFormat::Jpeg)).await;
        upload.is_refused(&test, MediaStatus::Refused).await;
    }
}

#[tokio::test]
async fn what_is_cut_off_is_removed_and_says_so() {
    let (test, user, token) = start().await;
    let mut phone = photo(200, 100);
    phone.truncate(phone.len() - 300);
    for (content_type, file, class) in [
        ("image/png", image(ImageFormat::Png)[..60].to_vec(), MediaClass::Image),
        ("image/jpeg", phone, MediaClass::Image),
        ("audio/wav", wav(1, 128)[..500].to_vec(), MediaClass::Audio),
        ("audio/mp4", mp4(b"soun", 100)[..150].to_vec(), MediaClass::Audio),
        ("video/mp4", mp4(b"vide", 100)[..150].to_vec(), MediaClass::Video),
    ] {
        let upload = named(&test, &token, content_type).await;
        upload.put(file).await;
        upload.is_refused(&test, MediaStatus::CutOff).await;
        let refusal = test.plaza.app.own_media(user, &[upload.id], class, "images").await.unwrap_err();
        assert!(refusal.to_string().contains("cut off"), "{refusal}");
        assert_eq!(refusal.code(), if class == MediaClass::Image { 3300 } else { 400 });
    }
}

#[tokio::test]
async fn a_refusal_says_what_was_wrong() {
    let (test, user, token) = start().await;
    for (content_type, class, not, cut_off, too_large) in [
        ("image/png", MediaClass::Image, UploadFault::NoPicture, UploadFault::PictureCutOff, UploadFault::TooLarge),
        (
            "audio/wav",
            MediaClass::Audio,
            UploadFault::NoRecording,
            UploadFault::RecordingCutOff,
            UploadFault::RecordingTooLarge,
        ),
        (
            "video/mp4",
            MediaClass::Video,
            UploadFault::NoRecording,
            UploadFault::RecordingCutOff,
            UploadFault::RecordingTooLarge,
        ),
    ] {
        for (standing, wanted) in
            [(MediaStatus::Refused, not), (MediaStatus::CutOff, cut_off), (MediaStatus::TooLarge, too_large)]
        {
            let upload = named(&test, &token, content_type).await;
            test.plaza.app.store.media_refused(&upload.id, user, standing).await.unwrap();
            let refused = test.plaza.app.own_media(user, &[upload.id], class, "icon").await;
            assert_eq!(refused, Err(Refusal::Upload("icon", wanted)));
        }
    }
}

#[tokio::test]
async fn what_is_too_large_is_removed_unread() {
    let (test, _, token) = start().await;
    test.plaza.engines.uploads.hold();
    for (content_type, mut file, most) in
        [("image/jpeg", picture(70, 70), 10 << 20), ("audio/mpeg", mp3(10), 20 << 20), ("audio/wav", vec![], 20 << 20)]
    {
        let upload = named(&test, &token, content_type).await;
        file.resize(most + 1, 0);
        upload.put(file.clone()).await;
        let event = test.plaza.engines.uploads.held().remove(0);
        let ((), cost) = test.line.meter(handle(&test, event)).await;
        assert!(cost.0.iter().all(|call| call.operation != "GET"), "{content_type}: {cost:?}");
        assert_eq!(upload.standing(&test).await, Some(MediaStatus::TooLarge));
        assert_eq!((upload.served(&test).await, objects(&test).await.len()), (None, 0));
    }
    // One byte less will do.
    let upload = named(&test, &token, "image/jpeg").await;
    let mut file = picture(70, 70);
    file.resize(10 << 20, 0);
    upload.put(file).await;
    handle(&test, upload.event()).await;
    assert_eq!(upload.standing(&test).await, Some(MediaStatus::Checked));
}

#[tokio::test]
async fn nothing_is_served_before_it_is_checked() {
    let (test, _, token) = start().await;
    test.plaza.engines.uploads.hold();
    let upload = named(&test, &token, "audio/wav").await;
    upload.put(wav(2, 128)).await;
    assert_eq!(upload.served(&test).await, None);
    let key = format!("upload/{}", upload.id);
    assert_eq!(objects(&test).await, [&*key]);
    let raw = format!("{}/plaza-media/{key}", test.plaza.engines.s3);
    assert_eq!(test.fetch(&raw).await.0, StatusCode::FORBIDDEN, "an upload is nobody's to read");
    for event in test.plaza.engines.uploads.held() {
        handle(&test, event).await;
    }
    assert!(upload.served(&test).await.is_some());
}

#[tokio::test]
async fn events_may_come_twice_late_and_out_of_order() {
    let (test, _, token) = start().await;
    let uploads = &test.plaza.engines.uploads;
    uploads.hold();
    // Twice, and once more long after.
    let [twice, swapped, late] = [(); 3].map(|()| named(&test, &token, "audio/wav"));
    let (twice, swapped, late) = (twice.await, swapped.await, late.await);
    twice.put(wav(2, 128)).await;
    let event = uploads.held().remove(0);
    handle(&test, event.clone()).await;
    let (items, keys) = (test.items().await, objects(&test).await);
    handle(&test, event.clone()).await;
    assert_eq!((test.items().await, objects(&test).await), (items, keys));

    // A first try that was bad and a second that is good; their events the other way round.
    swapped.put("not yet").await;
    swapped.put(wav(4, 128)).await;
    for event in uploads.held().into_iter().rev() {
        handle(&test, event).await;
    }
    assert_eq!(swapped.served(&test).await.unwrap().1, wav(4, 128));
    assert_eq!(swapped.record(&test).await.unwrap().whole_seconds, Some(4));

    // After the record's time nobody can use it any more: it is not served, either.
    late.put(wav(2, 128)).await;
    test.wait(7 * DAY);
    handle(&test, uploads.held().remove(0)).await;
    handle(&test, event).await;
    assert_eq!((late.served(&test).await, late.record(&test).await), (None, None));
    assert_eq!(twice.served(&test).await.unwrap().1, wav(2, 128));
    let left: HashSet<_> = objects(&test).await.into_iter().collect();
    assert_eq!(left, [&twice, &swapped].map(|upload| format!("media/{}", upload.id)).into());
}

#[tokio::test]
async fn an_event_of_an_upload_that_has_not_come_does_nothing() {
    let (test, _, token) = start().await;
    let upload = named(&test, &token, "image/png").await;
    let items = test.items().await;
    handle(&test, upload.event()).await;
    assert_eq!(test.items().await, items);
    upload.put(image(ImageFormat::Png)).await;
    assert_eq!(upload.standing(&test).await, Some(MediaStatus::Checked));
}

#[tokio::test]
async fn what_an_id_names_never_changes() {
    let (test, _, token) = start().await;
    for (content_type, first, second) in [
        ("image/png", image(ImageFormat::Png), {
            let mut other = Cursor::new(vec![]);
            RgbImage::new(10, 10).write_to(&mut other, ImageFormat::Png).unwrap();
            other.into_inner()
        }),
        ("audio/wav", wav(2, 128), wav(5, 7)),
        ("video/mp4", mp4(b"vide", 100), mp4(b"vide", 200)),
    ] {
        let upload = named(&test, &token, content_type).await;
        upload.put(first).await;
        let (served, record) = (upload.served(&test).await.unwrap(), upload.record(&test).await);
        for again in [second, b"something else".to_vec()] {
            upload.put(again).await;
            assert_eq!(upload.served(&test).await.as_ref(), Some(&served));
            assert_eq!(upload.record(&test).await, record);
        }
    }
    assert!(objects(&test).await.iter().all(|key| key.starts_with("media/")));
}

/// Each at its worst moment: the second PUT comes while the first is being checked, and both events run at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_put_at_the_same_time_never_gets_past_the_check() {
    let (test, _, token) = start().await;
    test.plaza.engines.uploads.hold();
    let good = [wav(2, 1), wav(5, 2)];
    let mut seen = HashSet::new();
    for round in 0..30_u64 {
        let upload = named(&test, &token, "audio/wav").await;
        upload.put(good[0].clone()).await;
        let puts = async {
            for file in [&b"bad"[..], &good[1], b"worse"] {
                tokio::time::sleep(std::time::Duration::from_millis(2 * (round % 15))).await;
                upload.put(file.to_vec()).await;
            }
        };
        let check = async || {
            // What changes all the time is given up after some tries, and comes again.
            while media::handle(&test.plaza.app, upload.event()).await.is_err() {}
        };
        tokio::join!(puts, check(), check());
        check().await;
        let record = upload.record(&test).await.unwrap();
        let served = upload.served(&test).await.map(|(_, bytes)| bytes);
        let wanted = match record.whole_seconds {
            Some(2) => Some(&good[0]),
            Some(5) => Some(&good[1]),
            _ => None,
        };
        assert_eq!(served.as_deref(), wanted.map(Vec::as_slice), "{record:?}");
        assert_eq!(record.standing == MediaStatus::Checked, served.is_some());
        seen.insert(record.whole_seconds);
    }
    assert!(objects(&test).await.iter().all(|key| key.starts_with("media/")));
    assert!(seen.len() > 1, "never at the same time: {seen:?}");
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_a_picture_is_healed_by_a_repeat() {
    crash_everywhere("image/png", image(ImageFormat::Png)).await;
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_a_recording_is_healed_by_a_repeat() {
    crash_everywhere("audio/wav", wav(3, 128)).await;
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_a_film_is_healed_by_a_repeat() {
    crash_everywhere("video/mp4", mp4(b"vide", 100)).await;
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_a_refusal_is_healed_by_a_repeat() {
    crash_everywhere("video/mp4", b"no film at all".to_vec()).await;
}

/// Whatever breaks in whatever step: the invocation says which upload it did not do, and the next one finishes.
async fn crash_everywhere(content_type: &str, file: Vec<u8>) {
    let (test, _, token) = start().await;
    test.plaza.engines.uploads.hold();
    let clean = named(&test, &token, content_type).await;
    clean.put(file.clone()).await;
    let ((), cost) = test.line.meter(handle(&test, clean.event())).await;
    let calls: Vec<String> = cost.0.into_iter().map(|call| call.operation).collect();
    let wanted = (clean.served(&test).await, clean.record(&test).await.unwrap());
    assert!(calls.len() >= 6);
    for (at, call) in calls.iter().enumerate() {
        let before = calls[..at].iter().filter(|other| *other == call).count();
        let call: &'static str = call.clone().leak();
        for fault in [Fault::Broken, Fault::AnswerLost] {
            for second in [None, Some("something else")] {
                let what = format!("{content_type}: {fault:?} at {call} number {before}, then {second:?}");
                let upload = named(&test, &token, content_type).await;
                upload.put(file.clone()).await;
                let faults = std::iter::repeat_n(None, before).chain([Some(fault); MANY]);
                test.line.spoil(call, faults);
                let failed = media::handle(&test.plaza.app, upload.event()).await.unwrap_err();
                test.line.mend();
                assert_eq!(failed.0, [format!("upload/{}", upload.id)], "{what}");
                let served = upload.served(&test).await;
                if let Some(second) = second {
                    upload.put(second).await;
                }
                handle(&test, upload.event()).await;
                let (now, record) = (upload.served(&test).await, upload.record(&test).await.unwrap());
                // What was served goes on being served; what was not may have been written again in between.
                if second.is_none() || served.is_some() {
                    assert_eq!(now, wanted.0, "{what}");
                    let found = (record.standing, record.whole_seconds);
                    assert_eq!(found, (wanted.1.standing, wanted.1.whole_seconds), "{what}");
                }
                assert_eq!(now.is_some(), record.standing == MediaStatus::Checked, "{what}");
                assert!(!objects(&test).await.contains(&format!("upload/{}", upload.id)), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_stop_left_unchecked_is_checked_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let (http, system, data) = (aws::http_client(), function::system(), Some(folder.path().to_owned()));
        Plaza::start(Options { data, engine_ports: None, system, http, variables: vec![] }, |_, _| ()).unwrap()
    };
    let plaza = start();
    let id = plaza.app.store.new_media(UserId(1), MediaKind::Png).await.unwrap();
    let upload = Upload { url: plaza.app.media().upload_url(&id).await.unwrap(), id };
    plaza.engines.uploads.hold();
    upload.put(image(ImageFormat::Png)).await;
    plaza.engines.stop().await;

    let plaza = start();
    for _ in 0..MANY {
        let record = plaza.app.store.media(&upload.id).await.unwrap().unwrap();
        if record.standing == MediaStatus::Checked {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("its event never came");
}

#[tokio::test]
async fn one_fault_is_tried_again() {
    let (test, _, token) = start().await;
    for (call, fault) in [
        ("Query", Fault::Throttle),
        ("HEAD", Fault::Broken),
        ("GET", Fault::Throttle),
        ("PUT", Fault::AnswerLost),
        ("UpdateItem", Fault::AnswerLost),
        ("UpdateItem", Fault::Conflict),
        ("DELETE", Fault::AnswerLost),
    ] {
        let upload = named(&test, &token, "image/png").await;
        test.line.spoil(call, [fault]);
        upload.put(image(ImageFormat::Png)).await;
        assert_eq!(test.line.unstruck(), 0, "{call}");
        assert!(upload.served(&test).await.is_some(), "{call}");
        assert_eq!(upload.standing(&test).await, Some(MediaStatus::Checked), "{call}");
    }
}

#[tokio::test]
async fn a_failure_keeps_no_other_upload_waiting() {
    let (test, _, token) = start().await;
    test.plaza.engines.uploads.hold();
    let [first, second] = [named(&test, &token, "audio/wav").await, named(&test, &token, "audio/wav").await];
    for upload in [&first, &second] {
        upload.put(wav(1, 128)).await;
    }
    let mut both = first.event();
    both.records.extend(second.event().records);
    // The table fails the first in all its tries.
    test.line.spoil("Query", [Fault::Broken; 3]);
    let failed = media::handle(&test.plaza.app, both.clone()).await.unwrap_err();
    assert_eq!(failed.0, [format!("upload/{}", first.id)]);
    assert_eq!(failed.to_string(), format!("not checked: upload/{}", first.id));
    let standings = [first.standing(&test).await, second.standing(&test).await];
    assert_eq!(standings, [Some(MediaStatus::Waiting), Some(MediaStatus::Checked)]);
    handle(&test, both).await;
    assert_eq!(first.standing(&test).await, Some(MediaStatus::Checked));
}

#[tokio::test]
async fn what_nobody_asked_for_goes_and_nothing_else() {
    let (test, _, token) = start().await;
    test.upload(&token, "/user/update_avator", &[], ("image", &picture(96, 64))).await;
    let upload = named(&test, &token, "image/png").await;
    upload.put(image(ImageFormat::Png)).await;
    let before: HashSet<_> = objects(&test).await.into_iter().collect();
    let avatar = before.iter().find(|key| !key.contains(&upload.id.0)).unwrap().strip_prefix("media/").unwrap();
    let unknown = "e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg";
    let (_, bucket) = test.objects().await;
    let names = ["notes.txt", "a b+ü.jpeg", unknown, avatar, "x.jpeg"];
    for name in names {
        let object = bucket.put_object().bucket("plaza-media").key(format!("upload/{name}"));
        object.body(picture(70, 70).into()).send().await.unwrap();
    }
    // As S3 writes keys.
    for name in ["notes.txt", "a+b%2B%C3%BC.jpeg", unknown, avatar, "x.jpeg"] {
        handle(&test, created(&format!("upload/{name}"))).await;
    }
    // What the template does not send, and what is no key of ours.
    let served = format!("media/{}", upload.id);
    for key in [&served, "", "upload/", "notes.txt", &format!("upload/../{served}"), &format!("upload/%2E%2E/{served}")]
    {
        let _ = media::handle(&test.plaza.app, created(key)).await;
    }
    assert_eq!(objects(&test).await.into_iter().collect::<HashSet<_>>(), before);
    assert!(upload.served(&test).await.is_some());
}

#[tokio::test]
async fn an_upload_url_is_for_one_put() {
    let (test, _, token) = start().await;
    let upload = named(&test, &token, "image/jpeg").await;
    for unwanted in ["checksum", "crc32", "x-amz-sdk"] {
        assert!(!upload.url.to_lowercase().contains(unwanted), "{}", upload.url);
    }
    assert!(
        upload.url.contains("X-Amz-Expires=900&") && upload.url.contains("X-Amz-SignedHeaders=host&"),
        "{}",
        upload.url
    );
    for (method, url) in [
        (Method::GET, upload.url.clone()),
        (Method::DELETE, upload.url.clone()),
        (Method::PUT, upload.url.replace("upload/", "media/")),
        (Method::PUT, upload.url.replace(".jpeg", ".html")),
        (Method::PUT, upload.url.split('?').next().unwrap().to_owned()),
    ] {
        assert_eq!(send(method.clone(), &url, None, picture(70, 70)).await.0, StatusCode::FORBIDDEN, "{method} {url}");
    }
    assert_eq!(objects(&test).await, [""; 0]);
}

#[tokio::test]
async fn get_media_id_takes_eight_types_and_their_other_names() {
    let (test, user, token) = start().await;
    for (content_type, extension) in [
        ("image/jpeg", "jpeg"),
        ("image/png", "png"),
        ("image/webp", "webp"),
        ("image/gif", "gif"),
        ("audio/mpeg", "mp3"),
        ("audio/mp4", "m4a"),
        ("audio/wav", "wav"),
        ("video/mp4", "mp4"),
        ("image/jpg", "jpeg"),
        ("audio/mp3", "mp3"),
        ("audio/x-m4a", "m4a"),
        ("audio/m4a", "m4a"),
        ("audio/x-wav", "wav"),
        ("audio/wave", "wav"),
        ("video/quicktime", "mp4"),
        ("IMAGE/JPG", "jpeg"),
    ] {
        let upload = named(&test, &token, content_type).await;
        assert!(upload.id.0.ends_with(&format!(".{extension}")), "{}", upload.id);
        assert_eq!(MediaId::parse(&upload.id.0), Some(upload.id.clone()));
        assert_eq!(upload.record(&test).await.unwrap().owner, user);
        let item = &test.items().await[&format!("M#{} / OF#{:016}", upload.id, user.0)];
        assert_eq!(item["expires_at"].as_n().unwrap(), &((START + 7 * DAY) / 1000).to_string());
    }
    let answer = test.json("/get_media_id", json!({"token": token})).await;
    assert!(answer.body["code"] == 0 && answer.body["media_id"].as_str().unwrap().ends_with(".jpeg"), "{answer:?}");
    for unknown in [json!("image/heic"), json!(""), json!("jpeg"), json!(["image/png"])] {
        let answer = test.json("/get_media_id", json!({"token": token, "content_type": unknown})).await;
        answer.refused(400, 400);
        assert!(answer.message().starts_with("content_type"), "{answer:?}");
    }
    test.json("/get_media_id", json!({})).await.refused(401, 401);
}

#[tokio::test]
async fn own_media_are_those_that_one_has_uploaded() {
    let (test, user, token) = start().await;
    let (other, others_token) = test.user(OTHER).await;
    let own = async |ids: &[&MediaId], class| {
        let ids: Vec<_> = ids.iter().map(|id| (*id).clone()).collect();
        test.plaza.app.own_media(user, &ids, class, "images").await
    };
    let refusal = own(&[&MediaId("e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg".into())], MediaClass::Image).await;
    let message = refusal.clone().unwrap_err().to_string();
    assert!(message.starts_with("images: ") && message.contains("get_media_id"), "{message}");
    assert!(matches!(refusal, Err(Refusal::Malformed(_))));

    let (checked, sound) = (named(&test, &token, "image/png").await, named(&test, &token, "audio/wav").await);
    checked.put(image(ImageFormat::Png)).await;
    sound.put(wav(1, 128)).await;
    let (bad, missing) = (named(&test, &token, "image/png").await, named(&test, &token, "image/png").await);
    bad.put("no picture").await;
    let theirs = named(&test, &others_token, "image/png").await;
    theirs.put(image(ImageFormat::Png)).await;
    test.plaza.engines.uploads.hold();
    let (waiting, they_wait) =
        (named(&test, &token, "image/png").await, named(&test, &others_token, "image/png").await);
    waiting.put(image(ImageFormat::Png)).await;
    they_wait.put(image(ImageFormat::Png)).await;

    assert_eq!(own(&[], MediaClass::Image).await, Ok(()));
    assert_eq!(own(&[&checked.id, &waiting.id, &checked.id], MediaClass::Image).await, Ok(()));
    assert_eq!(own(&[&sound.id], MediaClass::Audio).await, Ok(()));
    let of_theirs = std::slice::from_ref(&theirs.id);
    assert_eq!(test.plaza.app.own_media(UserId(other), of_theirs, MediaClass::Image, "icon").await, Ok(()));
    let nonsense =
        ["", "x.jpeg", "../media/x.png", &format!("{}.jpeg", "e".repeat(100_000))].map(|id| MediaId(id.into()));
    let found_bad = Err(Refusal::Upload("images", UploadFault::NoPicture));
    assert_eq!(own(&[&checked.id, &bad.id], MediaClass::Image).await, found_bad);
    for id in [&missing.id, &theirs.id, &they_wait.id, &sound.id].into_iter().chain(&nonsense) {
        assert_eq!(own(&[&checked.id, id], MediaClass::Image).await, refusal, "{id}");
    }
    assert!(own(&[&checked.id], MediaClass::Audio).await.is_err());
    assert!(own(&[&sound.id], MediaClass::Video).await.is_err());

    // One round for what is checked, one more where some wait: however many.
    let (_, cost) = test.line.meter(own(&[&checked.id], MediaClass::Image)).await;
    assert_eq!((cost.rounds(), cost.0.len()), (1, 1));
    let (_, cost) = test.line.meter(own(&[&checked.id, &waiting.id, &waiting.id], MediaClass::Image)).await;
    assert_eq!((cost.rounds(), cost.0.len()), (2, 3));
    test.wait(7 * DAY);
    for id in [&waiting.id, &checked.id] {
        assert_eq!(own(&[id], MediaClass::Image).await, refusal, "its time is over, and nothing uses it");
    }
}

#[tokio::test]
async fn the_time_is_told_to_anybody() {
    let test = Test::start().await;
    test.wait(7);
    assert_eq!(test.json("/current_time", json!({})).await.body, json!({"code": 0, "time": START + 7}));
}

#[tokio::test]
async fn banners_come_by_place_the_highest_id_first() {
    let (test, _, token) = start().await;
    let store = &test.plaza.app.store;
    for (place, banner_id) in [(Place::Home, 7), (Place::Game, 8), (Place::Home, 30), (Place::Home, 7)] {
        let image = MediaId(format!("e4cbdd56-855a-41ee-bcb6-{banner_id:012}.jpeg"));
        let banner = Banner { banner_id, image, url: format!("https://example.com/{banner_id}") };
        store.import_banner(place, &banner, false).await.unwrap();
    }
    let shown = |banner_id: u64| {
        json!({"banner_id": banner_id, "image": format!("e4cbdd56-855a-41ee-bcb6-{banner_id:012}.jpeg"),
            "url": format!("https://example.com/{banner_id}")})
    };
    let answer = test.json("/home_banner", json!({"token": token})).await;
    assert_eq!(answer.body, json!({"code": 0, "home_banner": [shown(30), shown(7)]}));
    let answer = test.json("/home_banner", json!({"token": token, "limit": 1, "offset": 1})).await;
    assert_eq!(answer.body["home_banner"], json!([shown(7)]));
    test.json("/home_banner", json!({})).await.refused(401, 401);
}

/// An image that takes so many KiB.
fn padded(kib: usize) -> Vec<u8> {
    let mut file = picture(70, 70);
    file.resize(kib << 10, 0);
    file
}

/// What counts of a user's uploads today.
async fn counted(test: &Test, user: UserId) -> (u64, u64) {
    let key = keys::done(user, test.plaza.app.system.now(), DAY);
    let get = test.table().get_item().table_name(&test.plaza.app.config.table).set_key(Some(key.into()));
    let item = get.send().await.unwrap().item.unwrap_or_default();
    let count = |name: &str| item.get(name).map_or(0, |count| count.as_n().unwrap().parse::<u64>().unwrap());
    let kept = count("expires_at") * 1000;
    assert!(item.is_empty() || (test.now() + DAY..=test.now() + 2 * DAY).contains(&kept), "it ends by itself");
    (count("uploads_done"), count("upload_bytes"))
}

#[tokio::test]
async fn what_one_user_uploads_in_a_day_has_an_end() {
    let test = Test::with(&[("UPLOAD_MIB_PER_DAY", "1"), ("UPLOADS_PER_DAY", "6")]).await;
    let ((anna, hers), (_, his)) = (test.person(PHONE).await, test.person(OTHER).await);
    let upload = async |token: &str, kib| {
        let upload = named(&test, token, "image/jpeg").await;
        upload.put(padded(kib)).await;
        upload
    };
    let publish = async |token: &str, upload: &Upload| {
        test.json("/article_publish", json!({"token": token, "content": "", "images": [upload.id]})).await
    };
    for _ in 0..2 {
        let fits = upload(&hers, 400).await;
        assert_eq!(fits.standing(&test).await, Some(MediaStatus::Checked));
        assert_eq!(publish(&hers, &fits).await.code(), "0");
    }
    let served = objects(&test).await.len();
    let too_much = upload(&hers, 400).await;
    assert_eq!(too_much.standing(&test).await, Some(MediaStatus::OverQuota));
    assert_eq!((too_much.served(&test).await, objects(&test).await.len()), (None, served));
    let refused = publish(&hers, &too_much).await;
    refused.refused(429, 429);
    assert!(refused.message().starts_with("images: "), "{}", refused.message());
    // What still fits is taken, to the last byte; then nobody is even told where to put more.
    assert_eq!(upload(&hers, 224).await.standing(&test).await, Some(MediaStatus::Checked));
    assert_eq!(counted(&test, UserId(anna)).await, (4, 1 << 20));
    test.json("/get_media_id", json!({"token": hers})).await.refused(429, 429);
    assert_eq!(upload(&his, 400).await.standing(&test).await, Some(MediaStatus::Checked));
    // Files have an end of their own, whichever way they come; and a day of UTC ends.
    test.wait(DAY);
    for _ in 0..5 {
        upload(&hers, 10).await;
    }
    let avatar = async || test.upload(&hers, "/user/update_avator", &[], ("image", &picture(64, 64))).await;
    assert_eq!(avatar().await.code(), "000000");
    for refused in [avatar().await, test.json("/get_media_id", json!({"token": hers})).await] {
        refused.refused(429, 429);
        let minutes = (DAY - test.now() % DAY).div_ceil(MINUTE);
        let wanted = format!("at most 6 uploads a day: try again in {minutes} min");
        assert!(refused.message().contains(&wanted), "{}", refused.message());
    }
    test.wait(DAY);
    assert_eq!(avatar().await.code(), "000000");
}

/// Whoever sends the event again, whatever is lost on the way; a file that was written anew counts by what it has grown.
#[tokio::test]
async fn an_upload_counts_once() {
    let (test, user, token) = start().await;
    test.plaza.engines.uploads.hold();
    let upload = named(&test, &token, "image/jpeg").await;
    let store = &test.plaza.app.store;
    let record = upload.record(&test).await.unwrap();
    test.line.spoil("TransactWriteItems", [Fault::AnswerLost, Fault::Conflict]);
    let counts = (0..8).map(|_| store.count_upload(&record, 300 << 10));
    assert!(join_all(counts).await.iter().all(Result::is_ok));
    assert_eq!((counted(&test, user).await.1, test.line.unstruck()), (300 << 10, 0));
    // Who looked before it had counted at all counts what it has grown since.
    store.count_upload(&record, 350 << 10).await.unwrap();
    assert_eq!(counted(&test, user).await.1, 350 << 10);
    upload.put(padded(400)).await;
    for _ in 0..3 {
        handle(&test, upload.event()).await;
        assert_eq!(upload.standing(&test).await, Some(MediaStatus::Checked));
        assert_eq!(counted(&test, user).await.1, 400 << 10);
    }
    // Settled: it counts no more, however long somebody was frozen.
    store.count_upload(&record, 500 << 10).await.unwrap();
    assert_eq!(counted(&test, user).await.1, 400 << 10);
    // Its owner has left, or its time is over: it counts for nobody, and is not found good.
    let gone = named(&test, &token, "image/jpeg").await;
    let record = gone.record(&test).await.unwrap();
    store.forget_files(&[(user, gone.id.clone())]).await.unwrap();
    store.count_upload(&record, 300 << 10).await.unwrap();
    assert_eq!(counted(&test, user).await.1, 400 << 10);
    assert_eq!(store.media_checked(&gone.id, user, None).await, Ok(MediaStatus::Refused));
}
