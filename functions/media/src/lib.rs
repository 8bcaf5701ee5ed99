//! The bucket's events: what was uploaded is checked, and only then served.
//!
//! An upload lies under `upload/<id>`, where nobody but us can read it; what is served under `media/<id>`. Who has the
//! URL may write the upload again at any time, and events come twice, late and out of order. So:
//! - What is published are the very bytes that were checked: a picture is made anew from them, a sound is put there from
//!   memory, and a film, too large for that, is checked in a copy that only we can write.
//! - Only what is not there yet is published: what an id names never changes.
//! - How the record stands decides, and it is settled once. It is settled after publishing and before the upload goes,
//!   so whatever is left in the middle, a repeat of the event finds out and finishes.
use std::{
    fmt,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use aws_lambda_events::s3::{S3Event, S3EventRecord};
use shared::{
    App,
    domain::{
        MediaClass, MediaId, MediaKind, Refusal,
        media::{Fault, Mp4, Recording},
        picture::{GALLERY, Picture},
    },
    function::Sent,
    meter::{Happened, happened},
    off_thread,
    outside::{Published, Upload},
    store::MediaStatus,
};

/// How often we look again at an upload that somebody else is writing or checking, before Lambda is to try again.
const TRIES: u32 = 5;
/// The more of it between two looks, the more often we have looked.
const PAUSE: Duration = Duration::from_millis(300);

/// The objects that storage failed us for. The event is to be sent again; all others are done.
#[derive(Debug)]
pub struct Failed(pub Vec<String>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "not checked: {}", self.0.join(", "))
    }
}

impl std::error::Error for Failed {}

/// What to do about whatever was sent.
pub fn event(sent: Sent<S3EventRecord>) -> S3Event {
    let mut event = S3Event::default();
    event.records = sent.records.unwrap_or_default();
    event
}

/// Checks each object that was created, one by one: one alone may take all the memory there is.
pub async fn handle(app: &App, event: S3Event) -> Result<(), Failed> {
    let mut failed = vec![];
    for record in event.records {
        let key = decoded(&record.s3.object.key.unwrap_or_default());
        if let Err(refusal) = settle(app, &key).await {
            tracing::warn!(key, %refusal, "an upload was not checked");
            failed.push(key);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failed(failed)) }
}

/// A key as it is, not as events have it: `a b` is `a+b` there.
fn decoded(key: &str) -> String {
    let pairs = form_urlencoded::parse(key.as_bytes());
    pairs.map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

async fn settle(app: &App, key: &str) -> Result<(), Refusal> {
    // The template sends us nothing else.
    let Some(name) = key.strip_prefix("upload/") else { return Ok(()) };
    let Some((id, kind)) = MediaId::parse(name).and_then(|id| Some((id.clone(), id.kind()?))) else {
        return app.media().drop_upload(name).await;
    };
    for tried in 0..TRIES {
        if step(app, &id, kind).await?.is_break() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE * tried).await;
    }
    Err(Refusal::Unavailable)
}

/// Brings an upload from wherever it stands to its end; or says to look again, because it has changed meanwhile.
async fn step(app: &App, id: &MediaId, kind: MediaKind) -> Result<ControlFlow<()>, Refusal> {
    let (store, media) = (&app.store, app.media());
    let Some(record) = store.media(id).await? else {
        // Nobody asked for it, or it comes too late. What is served under its id is no upload, but may be a picture.
        media.drop_upload(&id.0).await?;
        return Ok(ControlFlow::Break(()));
    };
    let standing = match record.standing {
        MediaStatus::Waiting => {
            let (published, upload) = tokio::try_join!(media.published(id), media.upload(id))?;
            match (published, upload) {
                (Some(published), _) => store.media_checked(id, record.owner, published.whole_seconds).await?,
                // Nothing to check: it is yet to come, or another event was quicker.
                (None, None) => return Ok(ControlFlow::Break(())),
                // Also what is too large: it was sent, but no more of it than it might have been.
                (None, Some(upload)) => match store.count_upload(&record, upload.size.min(kind.most_bytes())).await {
                    Ok(()) => match publish(app, id, kind, &upload).await? {
                        Verdict::Published(published) => {
                            store.media_checked(id, record.owner, published.whole_seconds).await?
                        }
                        Verdict::Bad(standing) => store.media_refused(id, record.owner, standing).await?,
                        Verdict::Changed => return Ok(ControlFlow::Continue(())),
                    },
                    Err(Refusal::TooMany(_)) => store.media_refused(id, record.owner, MediaStatus::OverQuota).await?,
                    Err(no) => return Err(no),
                },
            }
        }
        settled => settled,
    };
    if standing.is_bad() {
        happened(Happened::UploadsRefused);
        // Another event may have published a better try of the same upload, a moment too late.
        media.withdraw(std::slice::from_ref(id)).await?;
    }
    media.drop_upload(&id.0).await?;
    Ok(ControlFlow::Break(()))
}

enum Verdict {
    Published(Published),
    /// Not what it says, too large or cut off: how it stands from now on.
    Bad(MediaStatus),
    /// Gone, or another one by now, or published by somebody else.
    Changed,
}

impl Verdict {
    fn bad(fault: Fault) -> Self {
        Self::Bad(match fault {
            Fault::NotOfItsKind => MediaStatus::Refused,
            Fault::CutOff => MediaStatus::CutOff,
        })
    }
}

/// Checks an upload, and serves it if it is good.
async fn publish(app: &App, id: &MediaId, kind: MediaKind, upload: &Upload) -> Result<Verdict, Refusal> {
    match upload.size {
        0 => return Ok(Verdict::bad(Fault::NotOfItsKind)),
        size if size > kind.most_bytes() => return Ok(Verdict::Bad(MediaStatus::TooLarge)),
        _ => {}
    }
    let media = app.media();
    let (done, published) = match kind.class() {
        MediaClass::Image => {
            let Some(file) = media.read(upload, 0..upload.size).await? else { return Ok(Verdict::Changed) };
            // Whichever of the four it is: phones ask for JPEG and send what they have.
            let remade =
                off_thread(move || Ok(Picture::open_upload(&file, "upload").map(|picture| picture.fit([GALLERY]))));
            let [picture] = match remade.await? {
                Ok(made) => made,
                Err(Refusal::ImageTooLarge(_)) => return Ok(Verdict::Bad(MediaStatus::TooLarge)),
                Err(Refusal::ImageCutOff(_)) => return Ok(Verdict::bad(Fault::CutOff)),
                Err(_) => return Ok(Verdict::bad(Fault::NotOfItsKind)),
            };
            (media.publish_picture(id, picture).await?, Published { whole_seconds: None })
        }
        MediaClass::Audio => {
            let Some(file) = media.read(upload, 0..upload.size).await? else { return Ok(Verdict::Changed) };
            let heard = file.clone();
            let recording = match off_thread(move || Ok(calmly(|| Recording::audio(kind, &heard)))).await? {
                Ok(recording) => recording,
                Err(fault) => return Ok(Verdict::bad(fault)),
            };
            let published = Published { whole_seconds: recording.seconds };
            (media.publish_recording(id, file, kind.content_type(), published).await?, published)
        }
        MediaClass::Video => {
            let Some(copy) = media.set_aside(upload).await? else { return Ok(Verdict::Changed) };
            let verdict = publish_film(app, id, &copy).await;
            media.drop_copy(&copy).await?;
            return verdict;
        }
    };
    Ok(if done { Verdict::Published(published) } else { Verdict::Changed })
}

/// Checks a film in a copy that nobody else can write, and serves it if it is good.
async fn publish_film(app: &App, id: &MediaId, copy: &Upload) -> Result<Verdict, Refusal> {
    let (media, mut walk) = (app.media(), Mp4::new(copy.size));
    // Too large for memory: it is read where it has something to say.
    while let Some(wanted) = walk.wanted() {
        let Some(bytes) = media.read(copy, wanted).await? else { return Ok(Verdict::Changed) };
        if let Err(fault) = calmly(|| walk.feed(&bytes)) {
            return Ok(Verdict::bad(fault));
        }
    }
    let content_type = walk.content_type();
    if let Err(fault) = calmly(|| walk.end(MediaClass::Video)) {
        return Ok(Verdict::bad(fault));
    }
    let published = Published { whole_seconds: None };
    Ok(match media.publish_copy(id, copy, content_type).await? {
        true => Verdict::Published(published),
        false => Verdict::Changed,
    })
}

/// It reads hostile input: a panic is one more way to say no. (What it leaves half done is looked at no more.)
fn calmly<T>(look: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(look)).unwrap_or(Err(Fault::NotOfItsKind))
}
