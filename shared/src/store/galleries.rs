//! Galleries of pictures: who has which, what is in them, and the wall of all.
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{
    keys,
    table::{Action, Item, Range, Store, THERE, number, read, text},
};
use crate::{
    domain::{GalleryId, MediaId, Page, PictureId, Refusal, Thing, UserId},
    words,
};

/// Pictures in one gallery: its list comes whole.
pub const MOST_PICTURES: usize = 500;
/// Galleries of one user: their list comes whole.
const MOST_GALLERIES: usize = 200;
/// Hearts of one user that their list shows: those for the newest galleries.
const MOST_HEARTS: usize = 1000;

const NO_GALLERY: Refusal = Refusal::NoSuch(Thing::Gallery);

/// A gallery as its owner's list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    pub id: GalleryId,
    pub title: String,
    /// Pictures in it, exactly.
    pub pictures: u64,
    /// Its first picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_id: Option<PictureId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<MediaId>,
}

/// A picture in a gallery, and on the wall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GalleryPicture {
    pub id: PictureId,
    pub media: MediaId,
    pub gallery: GalleryId,
    pub owner: UserId,
}

/// That a gallery is being deleted.
#[derive(Serialize, Deserialize)]
struct ClosingEntry {
    gallery: GalleryId,
}

/// What is told to whoever has a gallery's id alone.
#[derive(Serialize, Deserialize)]
struct GalleryHead {
    owner: UserId,
    gallery: GalleryId,
    /// Gone for everybody, but its pictures are still being taken away.
    closed: bool,
}

impl Store {
    /// Makes an empty gallery; 409 where its owner has 200. One transaction.
    pub async fn create_gallery(&self, owner: UserId, title: &str) -> Result<GalleryId, Refusal> {
        let build = |_| async move {
            let id = GalleryId::fresh(&self.system);
            let gallery = Gallery { id, title: title.to_owned(), pictures: 0, cover_id: None, cover: None };
            let head = GalleryHead { owner, gallery: id, closed: false };
            let full = Refusal::Conflict(words!(
                "you have 200 galleries, which is the most: delete one first",
                "相册最多 200 个，请先删除一个"
            ));
            let actions = vec![
                Action::add(keys::gallery_count(owner), "galleries", 1)
                    .when("attribute_not_exists(galleries) OR galleries < :most")
                    .with(":most", number(MOST_GALLERIES))
                    .or_refuse(full),
                // Another gallery may have drawn the same id.
                Action::put_new(keys::gallery_head(id), &head).or_again(),
                Action::put_new(keys::user_gallery(owner, id), &gallery).or_again(),
            ];
            Ok((actions, id))
        };
        self.transact(build).await
    }

    /// A gallery of the caller's, to be written to. 403 where it is somebody else's, 404 where there is none.
    pub async fn own_gallery(&self, caller: UserId, id: GalleryId) -> Result<Gallery, Refusal> {
        match self.get(keys::user_gallery(caller, id)).await? {
            Some(gallery) => Ok(gallery),
            None => match self.gallery_head(id).await? {
                Some(head) if head.owner != caller && !head.closed => Err(Refusal::NotYours),
                _ => Err(NO_GALLERY),
            },
        }
    }

    /// Whose gallery it is, also while it is being deleted. One read.
    pub async fn gallery_owner(&self, id: GalleryId) -> Result<Option<UserId>, Refusal> {
        Ok(self.gallery_head(id).await?.map(|head| head.owner))
    }

    async fn gallery_head(&self, id: GalleryId) -> Result<Option<GalleryHead>, Refusal> {
        self.get(keys::gallery_head(id)).await
    }

    /// Puts a picture into a gallery of its owner's, as [`Store::own_gallery`] has just found it, where its file is known
    /// ([`Store::own_picture_file`]). One transaction: the count is exact, and the cover is the first picture, whatever
    /// happens beside it.
    pub async fn add_picture(&self, owner: UserId, gallery: Gallery, media: MediaId) -> Result<PictureId, Refusal> {
        let (gallery, media) = (&gallery, &media);
        let build = |now: Option<Item>| async move {
            let cover_id = match now {
                None => gallery.cover_id,
                Some(item) if item.is_empty() => return Err(NO_GALLERY),
                // Its first picture came or went while we looked, or it is full.
                Some(item) => {
                    let now: Gallery = read(item)?;
                    if now.pictures >= MOST_PICTURES as u64 {
                        return Err(Refusal::Conflict(words!(
                            "this gallery holds 500 pictures, which is the most",
                            "此相册已满，最多 500 张图片"
                        )));
                    }
                    now.cover_id
                }
            };
            let picture = PictureId::fresh(&self.system);
            let entry = GalleryPicture { id: picture, media: media.clone(), gallery: gallery.id, owner };
            let key = keys::user_gallery(owner, gallery.id);
            let (count, condition) = match cover_id {
                Some(cover) if cover < picture => (Action::update(key, "ADD pictures :one"), "cover_id < :id"),
                _ => (
                    Action::update(key, "ADD pictures :one SET cover_id = :id, cover = :media")
                        .with(":media", text(&media.0)),
                    "(attribute_not_exists(cover_id) OR cover_id > :id)",
                ),
            };
            let count = count
                .when(format!("attribute_exists(pk) AND pictures < :most AND {condition}"))
                .with(":one", number(1))
                .with(":most", number(MOST_PICTURES))
                .with(":id", number(picture.0));
            let actions = vec![
                count.or_look(),
                // Another picture may have drawn the same id.
                Action::put_new(keys::gallery_picture(gallery.id, picture), &entry).or_again(),
                Action::put_new(keys::wall(picture), &entry).or_again(),
                self.use_media(owner, media, &keys::gallery(gallery.id)),
            ];
            Ok((actions, picture))
        };
        self.transact(build).await
    }

    /// A picture of the caller's, `None` where it is gone; 403 where it is somebody else's.
    pub async fn own_picture(&self, caller: UserId, id: PictureId) -> Result<Option<GalleryPicture>, Refusal> {
        match self.picture(id).await? {
            Some(picture) if picture.owner != caller => Err(Refusal::NotYours),
            picture => Ok(picture),
        }
    }

    /// Takes a picture out of its gallery; what is gone already is fine. One transaction, and a few rounds more where
    /// it is the cover, for the next picture takes its place.
    pub async fn remove_picture(&self, picture: &GalleryPicture) -> Result<(), Refusal> {
        let GalleryPicture { id, gallery, owner, ref media } = *picture;
        let build = |found: Option<Item>| async move {
            let count = keys::user_gallery(owner, gallery);
            let (count, next) = match found {
                None => (Action::add(count, "pictures", -1).when("attribute_exists(pk) AND cover_id <> :id"), None),
                // The gallery is being deleted, and perhaps that broke off.
                Some(item) if item.is_empty() => {
                    let leftover = [keys::wall(id), keys::media(owner, media), keys::gallery_picture(gallery, id)];
                    self.delete_all(leftover).await?;
                    return Ok((vec![], ()));
                }
                // It is the cover, or no longer: the picture after it, if any, takes its place, if there are as many
                // pictures then as now.
                Some(item) => {
                    let seen = read::<Gallery>(item)?.pictures;
                    let range = Range::new(keys::gallery(gallery), keys::PICTURE);
                    let mut first_two = self.items::<GalleryPicture>(range, Page::first(2)).await?.into_iter();
                    if first_two.next().is_none_or(|first| first.id != id) {
                        (Action::add(count, "pictures", -1).when("attribute_exists(pk) AND cover_id <> :id"), None)
                    } else {
                        let next = first_two.next();
                        let change = match &next {
                            Some(next) => {
                                Action::update(count, "ADD pictures :much SET cover_id = :next, cover = :cover")
                                    .with(":next", number(next.id.0))
                                    .with(":cover", text(&next.media.0))
                            }
                            None => Action::update(count, "ADD pictures :much REMOVE cover_id, cover"),
                        };
                        let change = change.when("attribute_exists(pk) AND cover_id = :id AND pictures = :seen");
                        (change.with(":much", number(-1)).with(":seen", number(seen)), next)
                    }
                }
            };
            let mut actions = vec![
                count.with(":id", number(id.0)).or_look(),
                // Somebody else may have deleted it this moment.
                Action::delete_there(keys::gallery_picture(gallery, id)).or_done(),
                Action::delete_there(keys::wall(id)).or_done(),
                Action::delete(keys::media(owner, media)),
            ];
            actions
                .extend(next.map(|next| Action::check(keys::gallery_picture(gallery, next.id)).when(THERE).or_again()));
            Ok((actions, ()))
        };
        self.transact(build).await
    }

    /// A picture by its id alone.
    pub async fn picture(&self, id: PictureId) -> Result<Option<GalleryPicture>, Refusal> {
        self.get(keys::wall(id)).await
    }

    /// A gallery's first pictures, `None` where there is no such gallery. One query.
    pub async fn pictures_of(&self, gallery: GalleryId, most: usize) -> Result<Option<Vec<GalleryPicture>>, Refusal> {
        // The head comes before them.
        let mut items =
            self.raw_items(Range::new(keys::gallery(gallery), ""), Page::first(most + 1)).await?.into_iter();
        let head: Option<GalleryHead> =
            items.next().filter(|item| item.contains_key("closed")).map(read).transpose()?;
        match head {
            Some(GalleryHead { closed: false, .. }) => items.map(read).collect::<Result<_, _>>().map(Some),
            _ => Ok(None),
        }
    }

    /// A user's galleries, the first made first. One query.
    pub async fn galleries_of(&self, owner: UserId) -> Result<Vec<Gallery>, Refusal> {
        self.items(Range::new(keys::user(owner), keys::GALLERY), Page::first(MOST_GALLERIES)).await
    }

    /// A page of all pictures, the newest first, from below `before` on; whether there are more, the extra one tells.
    pub async fn wall(&self, before: Option<PictureId>, limit: usize) -> Result<Vec<GalleryPicture>, Refusal> {
        let wall = Range::new(keys::WALL.into(), "").newest_first();
        self.items(wall.after(before.map(keys::wall)), Page::first(limit + 1)).await
    }

    /// The first part of deleting a gallery: it is gone for everybody. Gives the pictures whose objects are to be
    /// taken away before [`Store::drop_gallery`]. A repeat goes on where a crash ended the first; of what is gone
    /// altogether nothing is left to do.
    pub async fn close_gallery(&self, caller: UserId, id: GalleryId) -> Result<Vec<GalleryPicture>, Refusal> {
        let Some(head) = self.gallery_head(id).await? else {
            return Ok(vec![]);
        };
        if head.owner != caller {
            return Err(Refusal::NotYours);
        }
        if !head.closed {
            let closed = Action::update(keys::gallery_head(id), "SET closed = :yes").when("closed = :no");
            let bools = |action: Action| {
                action.with(":yes", AttributeValue::Bool(true)).with(":no", AttributeValue::Bool(false))
            };
            // Where a condition does not hold, a parallel call has closed it.
            self.transact_once(vec![
                bools(closed).or_done(),
                Action::delete_there(keys::user_gallery(caller, id)).or_done(),
                // Should this break off for good, whoever leaves finds it.
                Action::put(keys::closing_gallery(caller, id), &ClosingEntry { gallery: id }),
                Action::add(keys::gallery_count(caller), "galleries", -1).when(THERE).or_done(),
            ])
            .await?;
        }
        let range = Range::new(keys::gallery(id), keys::PICTURE);
        let pictures: Vec<GalleryPicture> = self.items(range, Page::first(MOST_PICTURES)).await?;
        let gone =
            pictures.iter().flat_map(|GalleryPicture { id, media, .. }| [keys::wall(*id), keys::media(caller, media)]);
        self.delete_all(gone).await?;
        Ok(pictures)
    }

    /// The last part: what the gallery's id led to. The head goes last, for a repeat begins with it.
    pub async fn drop_gallery(&self, owner: UserId, id: GalleryId, pictures: &[GalleryPicture]) -> Result<(), Refusal> {
        self.delete_all(pictures.iter().map(|picture| keys::gallery_picture(id, picture.id))).await?;
        self.delete_all([keys::gallery_head(id), keys::closing_gallery(owner, id)]).await
    }

    /// One of a user's galleries, or one of theirs that is still being deleted. A query or two.
    pub async fn gallery_left(&self, owner: UserId) -> Result<Option<GalleryId>, Refusal> {
        let first = Range::new(keys::user(owner), keys::GALLERY);
        if let Some(gallery) = self.items::<Gallery>(first, Page::first(1)).await?.pop() {
            return Ok(Some(gallery.id));
        }
        let closing = Range::new(keys::user(owner), keys::CLOSING);
        Ok(self.items::<ClosingEntry>(closing, Page::first(1)).await?.pop().map(|entry| entry.gallery))
    }

    /// Gives a heart; a repeat changes nothing. 404 where the gallery is gone: none is given any more when its hearts
    /// are taken away. One transaction.
    pub async fn give_heart(&self, user: UserId, id: GalleryId) -> Result<(), Refusal> {
        let heart = Heart { heart: id };
        let open = Action::check(keys::gallery_head(id)).when("closed = :no");
        self.transact_once(vec![
            open.with(":no", AttributeValue::Bool(false)).or_refuse(NO_GALLERY),
            Action::put(keys::heart(user, id), &heart),
            Action::put(keys::heart_from(id, user), &heart),
        ])
        .await
    }

    /// Takes a heart back; one that was never given is fine. One transaction.
    pub async fn take_heart(&self, user: UserId, id: GalleryId) -> Result<(), Refusal> {
        self.transact_once([keys::heart(user, id), keys::heart_from(id, user)].map(Action::delete).into()).await
    }

    /// The galleries a user gave a heart, newest gallery first; those of a deleted gallery go some moments after it. One
    /// query.
    pub async fn hearts_of(&self, user: UserId) -> Result<Vec<GalleryId>, Refusal> {
        let hearts: Vec<Heart> = self.newest(keys::user(user), keys::HEART, Page::first(MOST_HEARTS)).await?;
        Ok(hearts.into_iter().map(|heart| heart.heart).collect())
    }

    /// Whether there is such a gallery, for those who are to see it.
    pub(super) async fn is_gallery_open(&self, id: GalleryId) -> Result<bool, Refusal> {
        Ok(self.gallery_head(id).await?.is_some_and(|head| !head.closed))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Heart {
    pub heart: GalleryId,
}
