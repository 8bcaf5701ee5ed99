//! Feeds: what those whom a user follows have made, the newest first. [`super::fan_out`] fills them, ahead of being read.
//!
//! It does not where that would cost too much, and where it has not come to it yet: what those have made whom very many
//! follow, and those who were followed this moment, stands in their own lists, which are read beside the feed.
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::OnceLock,
};

use futures_util::future::try_join_all;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{
    articles::{ArticleEntry, ArticleView},
    contents::{Content, Record},
    follows::Seen,
    keys::{self, Feed, Key},
    table::{Item, Range, Store, full_page, read},
};
use crate::domain::{EntryId, Followee, Page, Refusal, UserId};

/// Entries that a feed shows, the newest ones.
const SHOWN: usize = 1_000;
/// Entries of somebody newly followed that are shown, and come into the feed.
pub(super) const BACK_FILL: usize = 200;
/// Of those whom very many follow, the lists that are always read beside one user's feed: each costs half a unit or more
/// at every look. What else such people make is written to this user as everybody's.
const MOST_ALWAYS: usize = 16;
/// Lists that are read beside a feed in all: room for those who were followed this moment.
const MOST_LISTS: usize = 20;
/// Whom a user followed or unfollowed lately, as far as one look tells.
const FEW_LATELY: usize = 100;
/// Entries of a list that are read at first: half a unit.
const SOME: usize = 40;

/// What is known of somebody beside a user's feeds.
#[derive(Serialize, Deserialize)]
pub(super) struct Beside {
    pub followee: Followee,
    /// The follow that is still to be followed up, or none after an unfollow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<EntryId>,
    /// Of what is so lately. Without it, their list is always read beside the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}

/// The same of all.
struct Neighbours {
    /// Whose lists are merged in, and how much of them.
    lists: Vec<(Followee, usize)>,
    /// Whose entries in the feed count for nothing: who was unfollowed lately, and whose own list is the truth.
    left_out: BTreeSet<Followee>,
    /// Who was unfollowed lately; `None` where they are too many for one look.
    unfollowed: Option<BTreeSet<Followee>>,
}

/// Reads one user's feed, part by part.
pub(super) struct FeedReader<'a> {
    store: &'a Store,
    feed: Feed,
    of: UserId,
    neighbours: OnceLock<Neighbours>,
}

/// A list that is merged into a part: the feed itself, or somebody's own.
struct Source {
    range: Range,
    pk: String,
    prefix: &'static str,
    /// The place that it was read down to.
    reached: Option<String>,
    /// How many more may be read: none at its end.
    left: usize,
}

/// A list's entries with their places.
type Placed = Vec<(String, Item)>;

impl Store {
    /// A page of the articles of those whom the viewer follows, the newest first; at most the newest 1,000. Two rounds.
    /// One more where lists are read beside the feed, or a few where they hold most of a deep page; and two more for each
    /// time that what it passed over was deleted so lately that it is still there.
    pub async fn followed_articles(&self, viewer: UserId, page: Page) -> Result<Vec<ArticleView>, Refusal> {
        let page = Page { limit: page.limit.min(SHOWN.saturating_sub(page.offset)), ..page };
        let reader = &self.read_feed(Feed::Articles, viewer);
        let next = |part: Page, last: Option<ArticleEntry>| {
            reader.part(part, last.map(|last| keys::article_place(last.article)))
        };
        full_page(page, next, |entries: Vec<ArticleEntry>| async move {
            let authors = entries.iter().map(|entry| entry.author.into()).collect();
            let (mut views, unfollowed) =
                tokio::try_join!(self.article_views(viewer, entries), reader.unfollowed_among(authors))?;
            views.retain(|view| !unfollowed.contains(&view.article.author.into()));
            Ok(views)
        })
        .await
    }

    pub(super) fn read_feed(&self, feed: Feed, of: UserId) -> FeedReader<'_> {
        FeedReader { store: self, feed, of, neighbours: OnceLock::new() }
    }

    /// Those whose lists are always read beside a user's feed. One query.
    pub(super) async fn always_beside(&self, feed: Feed, of: UserId) -> Result<BTreeSet<Followee>, Refusal> {
        let range = Range::new(keys::user(of), &keys::always_beside_list(feed));
        let entries: Vec<Beside> = self.items(range, Page::first(MOST_LISTS)).await?;
        Ok(entries.into_iter().map(|entry| entry.followee).collect())
    }

    /// Whether one list more can be read beside a user's feeds. One query.
    pub(super) async fn has_room_beside(&self, of: UserId, followee: Followee) -> Result<bool, Refusal> {
        match Feed::of(followee) {
            [feed, ..] => Ok(self.always_beside(*feed, of).await?.len() < MOST_ALWAYS),
            [] => Ok(false),
        }
    }

    async fn neighbours(&self, feed: Feed, of: UserId) -> Result<Neighbours, Refusal> {
        // Those of always come first.
        let range = Range::new(keys::user(of), &keys::beside_list(feed));
        let most = MOST_LISTS + FEW_LATELY;
        let entries: Vec<Beside> = self.items(range, Page::first(most + 1)).await?;
        let is_all = entries.len() <= most;
        let (lately, always): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.expires_at.is_some());
        let (mut followed, unfollowed): (Vec<_>, Vec<_>) = lately.into_iter().partition(|entry| entry.follow.is_some());
        followed.sort_by_key(|entry| Reverse(entry.follow));
        let unfollowed: BTreeSet<_> = unfollowed.into_iter().map(|entry| entry.followee).collect();
        let always: Vec<_> =
            always.into_iter().map(|entry| entry.followee).filter(|followee| !unfollowed.contains(followee)).collect();
        let left_out = unfollowed.iter().chain(&always).copied().collect();
        let followed = followed.into_iter().map(|entry| entry.followee).filter(|followee| !always.contains(followee));
        let lists: Vec<_> = always.iter().map(|followee| (*followee, SHOWN)).collect();
        let lists = lists.into_iter().chain(followed.map(|followee| (followee, BACK_FILL))).take(MOST_LISTS).collect();
        Ok(Neighbours { lists, left_out, unfollowed: is_all.then_some(unfollowed) })
    }
}

impl FeedReader<'_> {
    /// Entries of the feed behind a place, or the newest ones: fewer than asked for only at its end. One round. One more
    /// where lists are read beside it, and a few more where these hold most of what is passed over.
    pub async fn part<T: DeserializeOwned>(&self, page: Page, after: Option<String>) -> Result<Vec<T>, Refusal> {
        let (store, wanted) = (self.store, page.end());
        let mut feed = Source::new(keys::feed(self.feed, self.of), "", usize::MAX, after.as_deref());
        let (found, neighbours) = match self.neighbours.get() {
            Some(known) => (feed.read(store, wanted, None).await?, known),
            None => {
                let neighbours = store.neighbours(self.feed, self.of);
                let (found, neighbours) = tokio::try_join!(feed.read(store, wanted, None), neighbours)?;
                (found, self.neighbours.get_or_init(|| neighbours))
            }
        };
        let counts = |(_, item): &(String, Item)| {
            self.feed.maker(item).is_none_or(|maker| !neighbours.left_out.contains(&maker))
        };
        let mut lists: Vec<_> = neighbours
            .lists
            .iter()
            .map(|(of, most)| {
                let mut list = Source::new(keys::followee(*of), self.feed.own_prefix(), *most, after.as_deref());
                list.range = list.range.lately();
                list
            })
            .collect();
        // The newest first, and no more than are wanted.
        let mut merged: BTreeMap<Reverse<String>, Item> = BTreeMap::new();
        let (mut found, mut some): (Placed, _) = (found.into_iter().filter(counts).collect(), SOME);
        loop {
            merged.extend(found.drain(..).map(|(place, item)| (Reverse(place), item)));
            while merged.len() > wanted {
                merged.pop_last();
            }
            // Nothing below it is wanted any more.
            let lowest = merged.last_key_value().filter(|_| merged.len() == wanted).map(|(place, _)| place.0.clone());
            let lowest = lowest.as_deref();
            let open = lists.iter_mut().filter(|list| list.is_open(lowest)).map(|list| list.read(store, some, lowest));
            let rest = async {
                match feed.is_open(lowest) {
                    true => feed.read(store, some.max(wanted), lowest).await,
                    false => Ok(vec![]),
                }
            };
            let (own, rest) = tokio::try_join!(try_join_all(open), rest)?;
            found = own.into_iter().flatten().chain(rest.into_iter().filter(counts)).collect();
            if found.is_empty() && !feed.is_open(lowest) {
                return merged.into_values().skip(page.offset).map(read).collect();
            }
            // What is read to be found too low is no more than what was wanted of the same list.
            some *= 2;
        }
    }

    /// Of these makers of entries, those whom the reader follows, but for the withdrawn. One round; one more where very
    /// many were unfollowed lately.
    pub async fn followed_makers<R: Record>(
        &self,
        makers: BTreeSet<Followee>,
    ) -> Result<HashMap<Followee, Seen<R>>, Refusal> {
        let contents = self.store.get_each_lately::<_, Content<R>>(makers.iter().copied(), keys::followee_head);
        let (contents, unfollowed) = tokio::try_join!(contents, self.unfollowed_among(makers.clone()))?;
        let followed =
            contents.into_iter().filter(|(maker, content)| !unfollowed.contains(maker) && !content.withdrawn);
        Ok(followed.map(|(maker, content)| (maker, Seen { content, is_follow: true })).collect())
    }

    /// Of these makers, those whom the reader does not follow though their entries may be in the feed still. No round; one
    /// where very many were unfollowed.
    async fn unfollowed_among(&self, makers: BTreeSet<Followee>) -> Result<BTreeSet<Followee>, Refusal> {
        let lately = self.neighbours.get().and_then(|neighbours| neighbours.unfollowed.as_ref());
        match lately {
            Some(lately) => Ok(makers.intersection(lately).copied().collect()),
            None => {
                let key = |maker| keys::follows(self.of, maker);
                let follows = self.store.get_each::<_, IgnoredAny>(makers.iter().copied(), key).await?;
                Ok(makers.into_iter().filter(|maker| !follows.contains_key(maker)).collect())
            }
        }
    }
}

impl Source {
    /// Of at most so many entries behind a place.
    fn new(pk: String, prefix: &'static str, most: usize, after: Option<&str>) -> Self {
        let range = Range::new(pk.clone(), prefix).newest_first();
        Self { range, pk, prefix, reached: after.map(str::to_owned), left: most }
    }

    /// Whether there may be more of it above a place.
    fn is_open(&self, lowest: Option<&str>) -> bool {
        self.left > 0 && (lowest.is_none() || self.reached.as_deref().is_none_or(|reached| lowest < Some(reached)))
    }

    /// The next entries, none of them below `lowest`.
    async fn read(&mut self, store: &Store, most: usize, lowest: Option<&str>) -> Result<Placed, Refusal> {
        let key = |place: &str| Key { pk: self.pk.clone(), sk: format!("{}{place}", self.prefix) };
        let range = self.range.clone().after(self.reached.as_deref().map(key));
        let range = match lowest {
            Some(lowest) => range.from(key(lowest).sk),
            None => range,
        };
        let most = most.min(self.left);
        let items = store.raw_items(range, Page::first(most)).await?;
        // What was not brought then is not there, or not wanted.
        self.left = if items.len() < most { 0 } else { self.left - most };
        let placed = |item: Item| Some((Key::of(&item)?.sk.strip_prefix(self.prefix)?.to_owned(), item));
        let placed: Placed = items.into_iter().filter_map(placed).collect();
        if let Some((place, _)) = placed.last() {
            self.reached = Some(place.clone());
        }
        Ok(placed)
    }
}
