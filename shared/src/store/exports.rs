//! What a user brought or did, told to themself: chapter by chapter, in pages, as JSON. And the exports that are made of it.
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    articles::ArticleEntry,
    comments::{KeptVote, SaidEntry},
    follows::{Follow, UserEntry},
    galleries::{Gallery, Heart, MOST_PICTURES},
    gifts::{self, GaveEntry, Given},
    keys::{self, Key},
    marks::Marks,
    media::{MediaEntry, MediaStatus},
    orders::{Order, OrderItems, OrderStatus},
    reports::{Feedback, KeptTrack},
    sms_codes::ProvedCode,
    table::{Action, Item, NEW, Range, Store, THERE, number, read, text},
};
use crate::domain::{DAY, Followee, MediaId, Millis, Page, Refusal, TrackId, UserId, hex};

/// How long an export can be fetched, and how long it is until the next one.
const LIFE: Millis = DAY;
/// Entries that are read at a time: what they lead to is one BatchGetItem, or nothing.
const SOME: usize = 100;
const MANY: usize = 1_000;

/// An export, made or in the making.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// The object's, which nobody guesses. (`name` is a word that the table keeps for itself.)
    #[serde(rename = "object_name")]
    pub name: String,
    begun_at: Millis,
    pub is_ready: bool,
    /// What was written of it for good.
    #[serde(default)]
    pub written: Written,
    expires_at: u64,
}

/// How far an export is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Written {
    /// Parts that are whole.
    pub chapters: usize,
    /// Of the next one, behind which entry to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// It has an entry.
    pub has_some: bool,
    /// The upload in pieces, and the pieces that are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    pub pieces: Vec<String>,
}

/// Whose export is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exporting {
    pub user: UserId,
    /// When it is gone on with.
    pub at: Millis,
}

/// A chapter of what a user is told, by its name in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chapter {
    Profile,
    Articles,
    Comments,
    Votes,
    Marks,
    Follows,
    Followers,
    Galleries,
    Hearts,
    Files,
    GiftsGot,
    GiftsGiven,
    Feedback,
    Messages,
    Tracks,
    Orders,
    Cart,
    Devices,
}

impl Chapter {
    pub const ALL: [Self; 18] = [
        Self::Profile,
        Self::Articles,
        Self::Comments,
        Self::Votes,
        Self::Marks,
        Self::Follows,
        Self::Followers,
        Self::Galleries,
        Self::Hearts,
        Self::Files,
        Self::GiftsGot,
        Self::GiftsGiven,
        Self::Feedback,
        Self::Messages,
        Self::Tracks,
        Self::Orders,
        Self::Cart,
        Self::Devices,
    ];

    /// Its name, and the list that it is read from, where it is one.
    fn of(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Profile => ("profile", None),
            Self::Articles => ("articles", Some(keys::OWN_ARTICLE)),
            Self::Comments => ("comments", Some(keys::COMMENT)),
            Self::Votes => ("votes", Some(keys::VOTE)),
            Self::Marks => ("marks", Some(keys::MARK)),
            Self::Follows => ("follows", Some(keys::FOLLOWS)),
            Self::Followers => ("followers", Some(keys::FOLLOWER)),
            Self::Galleries => ("galleries", Some(keys::GALLERY)),
            Self::Hearts => ("hearts", Some(keys::HEART)),
            Self::Files => ("files", Some(keys::USER_MEDIA)),
            Self::GiftsGot => ("gifts_got", Some(keys::GIFT)),
            Self::GiftsGiven => ("gifts_given", Some(keys::GAVE)),
            Self::Feedback => ("feedback", Some(keys::FEEDBACK)),
            Self::Messages => ("messages", Some(keys::CHAT)),
            Self::Tracks => ("tracks", Some(keys::TRACK)),
            Self::Orders => ("orders", Some(keys::ORDER)),
            Self::Cart => ("cart", None),
            Self::Devices => ("devices", Some(keys::DEVICE)),
        }
    }

    pub fn name(self) -> &'static str {
        self.of().0
    }

    /// Entries that are read at a time.
    fn page(self) -> usize {
        match self {
            Self::Votes
            | Self::Marks
            | Self::Follows
            | Self::Followers
            | Self::Hearts
            | Self::GiftsGot
            | Self::Tracks
            | Self::Devices => MANY,
            _ => SOME,
        }
    }
}

impl Store {
    /// The user's export of today, if there is one. One read.
    pub async fn export(&self, of: UserId) -> Result<Option<Export>, Refusal> {
        let export: Option<Export> = self.get(keys::export(of)).await?;
        Ok(export.filter(|export| self.system.now() < export.begun_at + LIFE))
    }

    /// Has an export made. With a code that they proved, it is used up. One transaction.
    pub async fn begin_export(&self, of: UserId, code: Option<&ProvedCode>) -> Result<(), Refusal> {
        let now = self.system.now();
        let export = Export {
            name: hex(&self.system.random::<16>()),
            begun_at: now,
            is_ready: false,
            written: Written::default(),
            // The bucket's rules count whole days.
            expires_at: (now + 2 * DAY) / 1000,
        };
        let yesterday = format!("{NEW} OR begun_at <= :yesterday");
        let put = Action::put(keys::export(of), &export).when(yesterday);
        let mut actions: Vec<_> = code.map(|code| self.use_code(code)).into_iter().collect();
        actions.extend([
            // Somebody who has left this moment.
            Action::check(keys::profile(of)).when(THERE).or_refuse(Refusal::NotSignedIn),
            put.with(":yesterday", number(now.saturating_sub(LIFE))).or_done(),
            Action::put(keys::exporting(now, of), &Exporting { user: of, at: now }),
        ]);
        self.transact_once(actions).await
    }

    /// The link of an export is handed out: the code that was proved for it is used up.
    pub async fn hand_out(&self, code: Option<&ProvedCode>) -> Result<(), Refusal> {
        match code {
            Some(code) => self.transact_once(vec![self.use_code(code)]).await,
            None => Ok(()),
        }
    }

    /// Whose export is to be made, whoever waits longest. One query.
    pub async fn first_export(&self) -> Result<Option<Exporting>, Refusal> {
        let due = Range::new(keys::EXPORTING.into(), "").up_to(format!("{:013}~", self.system.now()));
        Ok(self.items(due, Page::first(1)).await?.pop())
    }

    /// Is gone on with behind the others, or in so long. A transaction.
    pub async fn export_later(&self, exporting: &Exporting, after: Millis) -> Result<(), Refusal> {
        let Exporting { user, at } = *exporting;
        let later = Exporting { user, at: self.system.now().max(at + 1) + after };
        let actions = vec![
            // Somebody else was here.
            Action::delete_there(keys::exporting(at, user)).or_done(),
            Action::put(keys::exporting(later.at, user), &later),
        ];
        self.transact_once(actions).await
    }

    /// Notes how far an export is; `false` where it is no longer wanted. A transaction.
    pub async fn keep_export(&self, of: UserId, export: &Export) -> Result<bool, Refusal> {
        let put = Action::put(keys::export(of), export).when("object_name = :name").with(":name", text(&export.name));
        let build = |gone: Option<Item>| {
            let put = put.clone().or_look();
            std::future::ready(Ok(match gone {
                None => (vec![put], true),
                Some(_) => (vec![], false),
            }))
        };
        self.transact(build).await
    }

    /// It is ready, or no longer wanted. One write.
    pub async fn end_export(&self, exporting: &Exporting) -> Result<(), Refusal> {
        self.delete_all([keys::exporting(exporting.at, exporting.user)]).await
    }

    /// The name of an export that may still be there, though its day is over. One read.
    pub async fn forgotten_export(&self, of: UserId) -> Result<Option<String>, Refusal> {
        Ok(self.get::<Export>(keys::export(of)).await?.map(|export| export.name))
    }

    pub async fn forget_export(&self, of: UserId) -> Result<(), Refusal> {
        self.delete_all([keys::export(of)]).await
    }

    /// Some of a chapter of what a user brought or did, behind an entry; and behind which one to go on, if there is more. `link`:
    /// where a file is served. One query, and a round or two.
    pub async fn told(
        &self,
        user: UserId,
        chapter: Chapter,
        after: Option<String>,
        link: &(dyn Fn(&MediaId) -> String + Sync),
    ) -> Result<(Vec<Value>, Option<String>), Refusal> {
        let (_, Some(list)) = chapter.of() else {
            let all = match chapter {
                Chapter::Profile => self.profile(user).await?.map(|profile| profile.told(link)).into_iter().collect(),
                _ => self.cart(user).await?.tickets().map(|ticket| json!({"ticket_id": ticket})).collect(),
            };
            return Ok((all, None));
        };
        let page = chapter.page();
        let partition = match chapter {
            Chapter::Followers => keys::followers(user.into()),
            _ => keys::user(user),
        };
        let after = after.map(|sk| Key { pk: partition.clone(), sk });
        let items = self.raw_items(Range::new(partition, list).after(after), Page::first(page)).await?;
        let entries: Vec<_> = items.iter().filter_map(Key::of).collect();
        let next = entries.last().filter(|_| items.len() == page).map(|last| last.sk.clone());
        let told = match chapter {
            Chapter::Articles => self.told_articles(all(items)?, link).await?,
            Chapter::Comments => self.told_comments(all(items)?).await?,
            Chapter::Votes => each(items, |vote: KeptVote| json!({"comment_id": vote.target, "up": vote.up}))?,
            Chapter::Marks => each(
                items,
                |marks: Marks| json!({"on": marks.subject, "like": marks.is_like(), "collect": marks.is_collect()}),
            )?,
            Chapter::Follows => each(items, |follow: Follow| match follow.followee {
                Followee::User(id) => json!({"uid": id.hex()}),
                Followee::Master(id) => json!({"master_id": id}),
                Followee::Merchant(id) => json!({"merchant_id": id}),
            })?,
            Chapter::Followers => each(items, |follower: UserEntry| json!({"uid": follower.user.hex()}))?,
            Chapter::Galleries => self.told_galleries(all(items)?, link).await?,
            Chapter::Hearts => each(items, |heart: Heart| json!({"pic_dir_id": heart.heart}))?,
            Chapter::Files => self.told_files(user, all(items)?, link).await?,
            Chapter::GiftsGot => {
                let got = |item: Item| {
                    let gifts = gifts::counts(&item);
                    let Given { giver, worth } = read(item)?;
                    Ok(json!({"from_uid": giver.hex(), "gifts": gifts, "value": worth}))
                };
                items.into_iter().map(got).collect::<Result<_, Refusal>>()?
            }
            Chapter::GiftsGiven => self.told_gifts(user, all(items)?).await?,
            Chapter::Feedback => {
                let wrote = entries.iter().filter_map(|entry| keys::feedback_of(user, entry));
                self.told_feedback(wrote.collect()).await?
            }
            Chapter::Messages => self.told_messages(user, all(items)?).await?,
            Chapter::Tracks => each(items, |KeptTrack { sk, push_status, lng, lat }| {
                let at = keys::entry_number(&sk).map(|number| TrackId(number).made_at());
                json!({"created_at": at, "push_status": push_status, "lng": lng, "lat": lat})
            })?,
            Chapter::Orders => self.told_orders(user, all(items)?).await?,
            Chapter::Devices => {
                entries.iter().map(|entry| json!({"hash": entry.sk.trim_start_matches(keys::DEVICE)})).collect()
            }
            Chapter::Profile | Chapter::Cart => vec![],
        };
        Ok((told, next))
    }

    async fn told_articles(
        &self,
        entries: Vec<ArticleEntry>,
        link: &(dyn Fn(&MediaId) -> String + Sync),
    ) -> Result<Vec<Value>, Refusal> {
        let mut articles = self.articles_of(&entries).await?;
        let told = entries.iter().filter_map(|entry| articles.remove(&entry.article)).map(|article| {
            json!({"article_id": article.id, "created_at": article.created_at, "content": article.content,
                "images": article.images.iter().map(link).collect::<Vec<_>>(), "like_count": article.like_count,
                "collect_count": article.collect_count, "comment_count": article.comment_count})
        });
        Ok(told.collect())
    }

    async fn told_comments(&self, entries: Vec<SaidEntry>) -> Result<Vec<Value>, Refusal> {
        let told = self.comments_said(&entries).await?.into_iter().map(|(on, comment)| {
            json!({"comment_id": comment.id, "on": on, "created_at": comment.created_at, "content": comment.content,
                "reply_id": comment.reply.map(|reply| reply.comment), "up_count": comment.up_count,
                "down_count": comment.down_count})
        });
        Ok(told.collect())
    }

    /// Those that are served.
    async fn told_files(
        &self,
        of: UserId,
        files: Vec<MediaEntry>,
        link: &(dyn Fn(&MediaId) -> String + Sync),
    ) -> Result<Vec<Value>, Refusal> {
        let files: Vec<_> = files.into_iter().map(|file| file.media).collect();
        let records = self.media_of(of, &files).await?;
        let is_checked =
            |id: &&MediaId| records.iter().any(|record| record.id == **id && record.standing == MediaStatus::Checked);
        Ok(files.iter().filter(is_checked).map(|id| json!({"media_id": id, "url": link(id)})).collect())
    }

    async fn told_galleries(
        &self,
        galleries: Vec<Gallery>,
        link: &(dyn Fn(&MediaId) -> String + Sync),
    ) -> Result<Vec<Value>, Refusal> {
        let mut told = vec![];
        for gallery in galleries {
            let pictures = self.pictures_of(gallery.id, MOST_PICTURES).await?.unwrap_or_default();
            let pictures: Vec<_> =
                pictures.iter().map(|picture| json!({"pic_id": picture.id, "url": link(&picture.media)})).collect();
            told.push(json!({"pic_dir_id": gallery.id, "name": gallery.title, "pictures": pictures}));
        }
        Ok(told)
    }

    async fn told_gifts(&self, from: UserId, entries: Vec<GaveEntry>) -> Result<Vec<Value>, Refusal> {
        // Together: one BatchGetItem.
        let gifts = try_join_all(entries.iter().map(|entry| self.get_raw(keys::gift(entry.to, from)))).await?;
        let told = entries.iter().zip(gifts);
        let told =
            told.filter_map(|(entry, gift)| Some(json!({"to_uid": entry.to.hex(), "gifts": gifts::counts(&gift?)})));
        Ok(told.collect())
    }

    async fn told_feedback(&self, wrote: Vec<Key>) -> Result<Vec<Value>, Refusal> {
        let found = self.get_each::<_, Feedback>(0..wrote.len(), |at| wrote[at].clone()).await?;
        let told = (0..wrote.len()).filter_map(|at| {
            let Feedback { content, .. } = found.get(&at)?;
            Some(json!({"created_at": keys::feedback_id(&wrote[at])?.made_at(), "content": content}))
        });
        Ok(told.collect())
    }

    async fn told_orders(&self, user: UserId, orders: Vec<Order>) -> Result<Vec<Value>, Refusal> {
        let ids = orders.iter().map(|order| order.id);
        let items = self.get_each::<_, OrderItems>(ids, |id| keys::order_items(user, id)).await?;
        let now = self.system.now();
        let told = orders.iter().map(|order| {
            let status = match order.status(now) {
                OrderStatus::Pending => "pending",
                OrderStatus::Paid => "paid",
                OrderStatus::Cancelled => "cancelled",
            };
            let tickets = items.get(&order.id).map(|items| &items.items[..]).unwrap_or_default();
            let tickets: Vec<_> =
                tickets.iter().map(|item| json!({"ticket_id": item.ticket, "price": item.price})).collect();
            json!({"order_id": order.id, "created_at": order.created_at, "updated_at": order.updated_at(now),
                "status": status, "price": order.price, "tickets": tickets})
        });
        Ok(told.collect())
    }
}

fn all<T: DeserializeOwned>(items: Vec<Item>) -> Result<Vec<T>, Refusal> {
    items.into_iter().map(read).collect()
}

fn each<T: DeserializeOwned>(items: Vec<Item>, told: impl Fn(T) -> Value) -> Result<Vec<Value>, Refusal> {
    items.into_iter().map(|item| read(item).map(&told)).collect()
}
