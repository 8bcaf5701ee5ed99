//! Galleries of pictures: who has which, what is in them, and the wall of all.
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_dynamo::to_item;

use super::{Item, NEW, Part, Refused, Store, THERE, TRIES, keys, named, number, read, text, unreadable, values};
use crate::domain::{GalleryId, MediaId, PictureId, Refusal, UserId};

/// Pictures in one gallery: its list comes whole.
pub const MOST_PICTURES: usize = 500;
/// Galleries of one user: their list comes whole.
const MOST_GALLERIES: usize = 200;
/// Hearts of one user that their list shows: those for the newest galleries.
const MOST_HEARTS: usize = 1000;

const NO_GALLERY: Refusal = Refusal::NoSuch("gallery");

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

/// What is told to whoever has a gallery's id alone.
#[derive(Serialize, Deserialize)]
struct Head {
    owner: UserId,
    gallery: GalleryId,
    /// Gone for everybody, but its pictures are still being taken away.
    closed: bool,
}

impl Store {
    pub async fn create_gallery(&self, owner: UserId, title: &str) -> Result<GalleryId, Refusal> {
        loop {
            let id = GalleryId::fresh(&self.world);
            let gallery = Gallery { id, title: title.to_owned(), pictures: 0, cover_id: None, cover: None };
            let head = Head { owner, gallery: id, closed: false };
            let count = self.update_action(
                keys::gallery_count(owner),
                "ADD galleries :one",
                "attribute_not_exists(galleries) OR galleries < :most",
                values([(":one", number(1)), (":most", number(MOST_GALLERIES))]),
            )?;
            let actions = vec![
                count,
                self.put_action(keys::gallery_head(id), &head, NEW, None)?,
                self.put_action(keys::user_gallery(owner, id), &gallery, NEW, None)?,
            ];
            match self.transact(actions).await? {
                Ok(()) => return Ok(id),
                Err(Refused { at: 0, .. }) => {
                    return Err(Refusal::Conflict("you have 200 galleries, which is the most: delete one first"));
                }
                // Another gallery drew the same id.
                Err(_) => continue,
            }
        }
    }

    /// A gallery of the caller's, to be written to. 403 where it is somebody else's, 404 where there is none.
    pub async fn own_gallery(&self, caller: UserId, id: GalleryId) -> Result<Gallery, Refusal> {
        match self.get(keys::user_gallery(caller, id)).await? {
            Some(gallery) => Ok(gallery),
            None => match self.head(id).await? {
                Some(head) if head.owner != caller && !head.closed => Err(Refusal::NotYours),
                _ => Err(NO_GALLERY),
            },
        }
    }

    async fn head(&self, id: GalleryId) -> Result<Option<Head>, Refusal> {
        self.get(keys::gallery_head(id)).await
    }

    /// Puts a picture into a gallery of its owner's, as [`Store::own_gallery`] has just found it. One transaction:
    /// the count is exact, and the cover is the first picture, whatever happens beside it.
    pub async fn add_picture(&self, owner: UserId, gallery: Gallery, media: MediaId) -> Result<PictureId, Refusal> {
        let mut cover_id = gallery.cover_id;
        for _ in 0..TRIES {
            let picture = PictureId::fresh(&self.world);
            let entry = GalleryPicture { id: picture, media: media.clone(), gallery: gallery.id, owner };
            let (set, condition) = match cover_id {
                Some(cover) if cover < picture => ("", "cover_id < :id"),
                _ => (" SET cover_id = :id, cover = :media", "(attribute_not_exists(cover_id) OR cover_id > :id)"),
            };
            let mut of = HashMap::from([
                (":one".to_owned(), number(1)),
                (":most".to_owned(), number(MOST_PICTURES)),
                (":id".to_owned(), number(picture.0)),
            ]);
            if !set.is_empty() {
                of.insert(":media".into(), text(&media.0));
            }
            let count = self.update_action(
                keys::user_gallery(owner, gallery.id),
                format!("ADD pictures :one{set}"),
                format!("attribute_exists(pk) AND pictures < :most AND {condition}"),
                Some(of),
            )?;
            let actions = vec![
                count,
                self.put_action(keys::gallery_picture(gallery.id, picture), &entry, NEW, None)?,
                self.put_action(keys::wall(picture), &entry, NEW, None)?,
            ];
            match self.transact(actions).await? {
                Ok(()) => return Ok(picture),
                Err(Refused { at: 0, item }) if item.is_empty() => return Err(NO_GALLERY),
                Err(Refused { at: 0, item }) => {
                    let now: Gallery = read(item)?;
                    if now.pictures >= MOST_PICTURES as u64 {
                        return Err(Refusal::Conflict(
                            "pic_dir_id: this gallery holds 500 pictures, which is the most",
                        ));
                    }
                    // Its first picture came or went while we looked.
                    cover_id = now.cover_id;
                }
                // Another picture drew the same id.
                Err(_) => {}
            }
        }
        Err(Refusal::Unavailable)
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
        let GalleryPicture { id, gallery, owner, .. } = *picture;
        // Where it is the cover: the picture after it, if any, and how many there were when that was seen.
        let mut next_cover: Option<(Option<GalleryPicture>, u64)> = None;
        for _ in 0..TRIES {
            let mut of = HashMap::from([(":less".to_owned(), number(-1)), (":id".to_owned(), number(id.0))]);
            let (change, condition) = match &next_cover {
                None => ("", "cover_id <> :id"),
                // Nothing may have come before the next one meanwhile.
                Some((next, seen)) => {
                    of.insert(":seen".into(), number(seen));
                    let set = next.as_ref().map(|next| {
                        of.insert(":next".into(), number(next.id.0));
                        of.insert(":cover".into(), text(&next.media.0));
                        " SET cover_id = :next, cover = :cover"
                    });
                    (set.unwrap_or(" REMOVE cover_id, cover"), "cover_id = :id AND pictures = :seen")
                }
            };
            let count = self.update_action(
                keys::user_gallery(owner, gallery),
                format!("ADD pictures :less{change}"),
                format!("attribute_exists(pk) AND {condition}"),
                Some(of),
            )?;
            let mut actions = vec![
                count,
                self.delete_action(keys::gallery_picture(gallery, id), THERE, None)?,
                self.delete_action(keys::wall(id), THERE, None)?,
            ];
            if let Some((Some(next), _)) = &next_cover {
                actions.push(self.check_action(keys::gallery_picture(gallery, next.id), THERE, None)?);
            }
            match self.transact(actions).await? {
                Ok(()) => return Ok(()),
                // The gallery is being deleted, and perhaps that broke off.
                Err(Refused { at: 0, item }) if item.is_empty() => {
                    return self.delete_all(vec![keys::wall(id), keys::gallery_picture(gallery, id)]).await;
                }
                // Somebody else has just deleted it.
                Err(Refused { at: 1 | 2, .. }) => return Ok(()),
                // It is the cover, or no longer.
                Err(Refused { at: 0, item }) => {
                    let seen = read::<Gallery>(item)?.pictures;
                    let first_two: Vec<GalleryPicture> = self.query(keys::gallery(gallery), "P#", 2).await?;
                    let mut first_two = first_two.into_iter();
                    let is_first = first_two.next().is_some_and(|first| first.id == id);
                    next_cover = is_first.then(|| (first_two.next(), seen));
                }
                Err(_) => next_cover = None,
            }
        }
        Err(Refusal::Unavailable)
    }

    /// A picture by its id alone.
    pub async fn picture(&self, id: PictureId) -> Result<Option<GalleryPicture>, Refusal> {
        self.get(keys::wall(id)).await
    }

    /// A gallery's first pictures, `None` where there is no such gallery. One query.
    pub async fn pictures_of(&self, gallery: GalleryId, most: usize) -> Result<Option<Vec<GalleryPicture>>, Refusal> {
        // The head comes before them.
        let mut items = self.items(Part::new(keys::gallery(gallery), ""), 0, most + 1).await?.into_iter();
        let head: Option<Head> = items.next().filter(|item| item.contains_key("closed")).map(read).transpose()?;
        match head {
            Some(Head { closed: false, .. }) => items.map(read).collect::<Result<_, _>>().map(Some),
            _ => Ok(None),
        }
    }

    /// A user's galleries, the first made first. One query.
    pub async fn galleries_of(&self, owner: UserId) -> Result<Vec<Gallery>, Refusal> {
        self.query(keys::user(owner), keys::GALLERY, MOST_GALLERIES).await
    }

    /// A page of all pictures, the newest first, from below `before` on; whether there are more, the extra one tells.
    pub async fn wall(&self, before: Option<PictureId>, limit: usize) -> Result<Vec<GalleryPicture>, Refusal> {
        // Every digit sorts before a letter.
        let below = before.map_or("A".into(), |before| keys::wall(before).sk);
        let request = self.client.query().table_name(&self.table).scan_index_forward(false).limit(limit as i32 + 1);
        let request = request
            .key_condition_expression("pk = :pk AND sk < :below")
            .set_expression_attribute_values(values([(":pk", text(keys::WALL)), (":below", text(below))]));
        request.send().await.map_err(super::broken)?.items.unwrap_or_default().into_iter().map(read).collect()
    }

    /// The first part of deleting a gallery: it is gone for everybody. Gives the pictures whose objects are to be
    /// taken away before [`Store::drop_gallery`]. A repeat goes on where a crash ended the first; of what is gone
    /// altogether nothing is left to do.
    pub async fn close_gallery(&self, caller: UserId, id: GalleryId) -> Result<Vec<GalleryPicture>, Refusal> {
        let Some(head) = self.head(id).await? else {
            return Ok(vec![]);
        };
        if head.owner != caller {
            return Err(Refusal::NotYours);
        }
        if !head.closed {
            let actions = vec![
                self.update_action(
                    keys::gallery_head(id),
                    "SET closed = :yes",
                    "closed = :no",
                    values([(":yes", AttributeValue::Bool(true)), (":no", AttributeValue::Bool(false))]),
                )?,
                self.delete_action(keys::user_gallery(caller, id), THERE, None)?,
                self.update_action(
                    keys::gallery_count(caller),
                    "ADD galleries :less",
                    THERE,
                    values([(":less", number(-1))]),
                )?,
            ];
            // Where a condition fails, a parallel call has closed it.
            let _ = self.transact(actions).await?;
        }
        let pictures: Vec<GalleryPicture> = self.query(keys::gallery(id), "P#", MOST_PICTURES).await?;
        self.delete_all(pictures.iter().map(|picture| keys::wall(picture.id)).collect()).await?;
        Ok(pictures)
    }

    /// The last part: what the gallery's id led to. The head goes last, for a repeat begins with it.
    pub async fn drop_gallery(&self, id: GalleryId, pictures: &[GalleryPicture]) -> Result<(), Refusal> {
        self.delete_all(pictures.iter().map(|picture| keys::gallery_picture(id, picture.id)).collect()).await?;
        self.delete_all(vec![keys::gallery_head(id)]).await
    }

    /// Gives a heart; a repeat changes nothing.
    pub async fn give_heart(&self, user: UserId, id: GalleryId) -> Result<(), Refusal> {
        match self.head(id).await? {
            Some(Head { closed: false, .. }) => {}
            _ => return Err(NO_GALLERY),
        }
        let heart = Heart { heart: id };
        let set: Item = to_item(&heart).map_err(unreadable)?;
        let update = self.update(keys::heart(user, id), "SET heart = :heart");
        self.change(update.set_expression_attribute_values(Some(named(set)))).await.map(drop)
    }

    /// Takes a heart back; one that was never given is fine.
    pub async fn take_heart(&self, user: UserId, id: GalleryId) -> Result<(), Refusal> {
        self.delete_all(vec![keys::heart(user, id)]).await
    }

    /// The galleries a user gave a heart, newest gallery first, those that are gone left out. Two rounds.
    pub async fn hearts_of(&self, user: UserId) -> Result<Vec<GalleryId>, Refusal> {
        let hearts: Vec<Heart> = self.newest(keys::user(user), keys::HEART, 0, MOST_HEARTS).await?;
        let hearts: Vec<_> = hearts.into_iter().map(|heart| heart.heart).collect();
        let heads: Vec<Head> = self.get_all(hearts.iter().map(|id| keys::gallery_head(*id)).collect()).await?;
        let there = |id: &GalleryId| heads.iter().any(|head| head.gallery == *id && !head.closed);
        Ok(hearts.into_iter().filter(there).collect())
    }
}

#[derive(Serialize, Deserialize)]
struct Heart {
    heart: GalleryId,
}
