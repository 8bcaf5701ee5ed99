//! The key design: the only place where a key is spelt.
//!
//! | what | pk | sk | read and written by |
//! |---|---|---|---|
//! | a user | `U#<id>` | `PROFILE` | all that shows or changes a user |
//! | their password, epoch, ended tokens, wrong guesses | `U#<id>` | `AUTH` | the session check, logins |
//! | whose phone, proved by SMS | `PHONE#<country>-<number>` | `-` | logins, registration |
//! | whose e-mail | `EMAIL#<address>` | `-` | logins, changes of it |
//! | whose user name | `NAME#<name>` | `-` | logins |
//! | whose identity at QQ, WeChat, Weibo | `OPENID#<provider>#<openid>` | `-` | logins through them |
//! | wrong guesses at an account that does not exist | `GUESS#<hash of the account>` | `AUTH` | logins |
//! | the SMS code of a phone, and how many were sent | `SMS#<country>-<number>` | `-` | the five operations with a code |
//! | when codes were sent at the wish of one address, by its pseudonym | `SMSSOURCE#<pseudonym>` | `-` | `send_sms_code` |
//! | a user's gallery: name, count, cover | `U#<user>` | `G#<gallery>` | lists of galleries, uploads |
//! | how many galleries a user has | `U#<user>` | `GALLERIES` | making and deleting one |
//! | a gallery to which a user gave a heart | `U#<user>` | `H#<gallery>` | heartbeats |
//! | who gave a gallery a heart | `HEARTS#<gallery>` | `<user>` | `fanout`, when the gallery is gone |
//! | a gallery that is being deleted | `U#<user>` | `CLOSING#<gallery>` | leaving |
//! | whose gallery it is | `G#<gallery>` | `HEAD` | all that is told a gallery's id alone |
//! | a gallery's pictures, the first one first | `G#<gallery>` | `P#<picture>` | its list |
//! | all pictures, and each one's gallery | `WALL` | `<picture>` | the public wall, the detail page |
//! | how many SMS were sent on a day | `SMSDAY#<day>` | `-` | `send_sms_code` |
//! | whose device, and the epoch it was tied in | `DEVICE#<hash of its id>` | `-` | document B's session check |
//! | which devices are a user's | `U#<user>` | `DEVICE#<hash of its id>` | leaving |
//! | whose review account, by its name | `REVIEW#<account>` | `-` | `audit_login` |
//! | an app version that is under review | `VERSION#<version>` | `-` | refusals to unregistered devices |
//! | what a user wrote to the operators | `FEEDBACK#<day>` | `<feedback>#<user>` | `feedbacks`; operators |
//! | where that lies | `U#<user>` | `FEEDBACK#<day>#<feedback>` | leaving |
//! | where a user's device was, for a while | `U#<user>` | `TRACK#<track>` | `user_tracks`; operators |
//! | how often a user did what is limited, in an hour or on a day | `U#<user>` | `DONE#<H or D><hour or day>` | see `Limit` |
//! | what one user gave another, by code | `U#<to>` | `GIFT#<from>` | the homepage |
//! | whom a user gave something | `U#<from>` | `GAVE#<to>` | leaving |
//! | that a gift was entered, by the operators' id | `GIVEN#<hash of the id>` | `-` | `give_gift` |
//! | that VIP time was granted, by the operators' id | `GRANTED#<hash of the id>` | `-` | `grant_vip` |
//! | how many articles, follows, followers one has | `<followee>` | `COUNTS` | all that shows them |
//! | what is counted of one whom a crowd found, in 32 shards | `<followee>#SHARDS`, `<subject>#SHARDS` | `<shard>` | all that counts or shows it |
//! | that a user follows somebody | `U#<follower>` | `FOLLOWS#<followee>` | follow, unfollow, `is_follow`, feeds |
//! | whose lists are always read beside a user's feeds | `U#<follower>` | `BESIDE#<kind>#ALWAYS#<id>` | feeds, `fanout` |
//! | who was followed or unfollowed lately | `U#<follower>` | `BESIDE#<kind>#LATELY#<id>` | feeds, `fanout` |
//! | whom a user follows, in the order of following | `U#<follower>` | `FOLLOWING#<kind>#<entry>` | `my_following_users` |
//! | who follows somebody, in the same order | `<followee>#F` | `FOLLOWER#<entry>` | `my_follower` |
//! | into whose feeds somebody's entries are written | `AHEAD#<followee>` | `<follower>` | `fanout` |
//! | an article, or another subject, with its counts | `<subject>` | `HEAD` | all that shows or marks one |
//! | the text of an article, where it is long | `A#<article>` | `TEXT` | all that shows one |
//! | all articles by number, in blocks (see `numbered`) | `L#articles#<block>` | `<number>` | `article_list` |
//! | how many numbers were drawn | `L#articles` | `TOP` | `article_list`, publishing |
//! | how many numbers of a block lead nowhere | `L#articles` | `HOLES#<128 blocks>` | `article_list`, deleting |
//! | a user's articles | `U#<author>` | `ARTICLE#<article>` | `my_article_list`; back-filling feeds |
//! | those with images | `U#<author>` | `PICTURED#<article>` | the homepage |
//! | the articles of those whom a user follows | `F#<follower>` | `<article>` | `following_article_list`, `fanout` |
//! | up to which place a user's feed was trimmed | `U#<follower>` | `FEED#<feed>` | `fanout` |
//! | whether a user likes, collected a subject | `U#<user>` | `MARK#<subject>` | likes, collects, every list's marks |
//! | who likes an article, in the order of liking | `A#<article>#MARKED` | `LIKER#<entry>` | `article_detail` |
//! | who collected it, in the same way | `A#<article>#MARKED` | `COLLECTOR#<entry>` | `article_detail` |
//! | what articles a user collected, in the order of collecting | `U#<user>` | `COLLECT#<entry>` | `my_article_collect_list` |
//! | a subject's comments, with their counts | `<subject>` | `COMMENT#<comment>` | lists of comments, votes |
//! | that there is such a comment, to count them by | `<subject>` | `AT#<comment>` | pages far down lists of comments |
//! | what a comment stands under; its text where it is long | `C#<comment>` | `-` | all that is told a comment's id alone |
//! | a ticket, at the place of its last comment that stands | `CIRCLE` | `<comment>` | `ticket_circle`, comments on tickets |
//! | a user's comments | `U#<user>` | `COMMENT#<comment>` | leaving |
//! | the comments that answer a user's | `U#<user>` | `ANSWER#<comment>` | leaving |
//! | that a comment was deleted, for a day | `<subject>` | `GONE#<when>#<comment>` | document B's pinned lists |
//! | a user's vote on a comment | `U#<user>` | `VOTE#<subject>#<comment>` | votes, lists of comments |
//! | a file: what was found of it, and what uses it | `M#<media id>` | `OF#<owner>` | `get_media_id`, all that takes one, `media` |
//! | which uploads and avatars are a user's | `U#<user>` | `MEDIA#<media id>` | leaving |
//! | a record of content, with what is counted of it | `<followee>`, `<subject>`, `PROJECT#<project>`, `TICKETS#<first ticket>` | `HEAD` | imports, all that shows it |
//! | its copy in a list, the recommended ones last | `LIST#<list>` | `<recommended>#<when>#<id>` | lists of content |
//! | a master's projects, and records of tickets | `<master>` | `PROJECT#<when>#<project>`, `TICKETS#<when>#<first ticket>` | `project_list`; back-filling feeds |
//! | a merchant's clothes | `<merchant>` | `CLOTH#<cloth>` | withdrawing a merchant |
//! | the projects and tickets of the masters whom a user follows | `FP#<follower>`, `FT#<follower>` | `<when>#<id>` | `my_following_masters_*`, `fanout` |
//! | a user's orders | `U#<user>` | `ORDER#<order>` | all that shows or changes one |
//! | whose an order is | `ORDER#<order>` | `-` | ordering: no two have one id |
//! | an order's tickets | `U#<user>` | `ITEMS#<order>` | `order_detail`, cancelling, paying |
//! | which orders were not paid | `U#<user>` | `UNPAID#<order>` | `my_order_list` of those that are cancelled |
//! | the tickets that a paid order brought | `U#<user>` | `PAID#<order>` | `my_ticket_list`, `my_order_list` of those paid |
//! | a user's pending orders, of at most 100 tickets | `U#<user>` | `PENDING` | ordering, `my_order_list` of those pending |
//! | what an idempotency key was used for, for a day | `U#<user>` | `IDEMPOTENT#<hash of the key>` | both ways to order |
//! | a user's shopping cart | `U#<user>` | `CART` | the cart's operations |
//! | charges whose outcome is not known, in eight parts | `CHARGES#<part>` | `<when to ask>#<order>` | `order_pay`, the scheduled check |
//! | charges that have to be paid back | `CHARGES#<part>` | `<when to ask>#<order>#REFUND#<attempt>` | the same |
//! | how many of a project's tickets were sold, in eight parts | `PROJECT#<project>` | `SOLD#<part>` | all that counts tickets |
//! | a project's tickets that can be bought, and for whom one is held | `OPEN#<project>` | `<created>#<ticket>` | `ticket_list`, orders |
//! | those of withdrawn records | `CLOSED#<project>` | `<created>#<ticket>` | bringing a record back |
//! | a message of a conversation, as a user has it | `U#<user>` | `CHAT#<side>#<message>` | `my_message`, sending, `message_del` |
//! | a user's conversations, by the newest message of each | `U#<user>` | `LAST#<message>` | `my_message_center`, sending, `message_del` |
//! | that a user has a conversation | `U#<user>` | `TALK#<side>` | its first message, deleting its last one |
//! | whose message it is, and who deleted it; its text where it is long | `MESSAGE#<message>` | `-` | all that is told a message's id alone |
//! | when a user sent messages, within a minute | `U#<user>` | `DONE#MESSAGES` | sending |
//! | what users wrote to masters, merchants, customer service | `INBOX#<day>` | `<message>#<user>` | sending; operators |
//! | that operators sent a message, by their id | `SAID#<hash of the id>` | `-` | imports of messages |
//! | the banners of a place | `BANNER#<place>` | `<banner>` | the four lists of banners |
//! | a user's export of the day, and how far it is | `U#<user>` | `EXPORT` | `user_export`, `leaving` |
//! | whose export is to be made, by when to go on | `EXPORTING` | `<when>#<user>` | the same |
//! | who has left and is being erased, by when to go on | `LEAVING` | `<when>#<user>` | `user_erase`, `leaving` |
//!
//! A subject is `A#<article>`, `GAME#<game>`, `CLOTH#<cloth>` or `TICKET#<ticket>`; a followee is `U#<user>`,
//! `MASTER#<master>` or `MERCHANT#<merchant>`, and their kind is what stands before the `#`. A conversation's other side is
//! named like a followee, or `SERVICE`.
//!
//! An id is written with 16 digits (a master's and a merchant's with 32 hexadecimal ones), so that keys sort as ids do.
//! What ends by itself carries `expires_at`, in seconds.
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Account, ArticleId, ClothId, CommentId, DAY, DeviceId, Email, EntryId, FeedbackId, Followee, GalleryId, MasterId,
    MediaId, MerchantId, MessageId, Millis, OrderId, Phone, PictureId, ProjectId, Side, Subject, TicketId, TrackId,
    UserId, hex,
};

/// Where a noun's things lie, for who looks at the table past the functions, as no function does.
pub struct Noun {
    pub name: &'static str,
    /// What the partitions begin with.
    pub prefix: &'static str,
    /// Where in its partition a thing itself lies, or where those begin that share one.
    pub head: &'static str,
}

pub const NOUNS: &[Noun] = &[
    Noun { name: "users", prefix: "U#", head: "PROFILE" },
    Noun { name: "articles", prefix: "A#", head: "HEAD" },
    Noun { name: "galleries", prefix: "G#", head: "HEAD" },
    Noun { name: "games", prefix: "GAME#", head: "HEAD" },
    Noun { name: "masters", prefix: "MASTER#", head: "HEAD" },
    Noun { name: "projects", prefix: "PROJECT#", head: "HEAD" },
    Noun { name: "tickets", prefix: "TICKETS#", head: "HEAD" },
    Noun { name: "orders", prefix: "U#", head: ORDER },
    Noun { name: "merchants", prefix: "MERCHANT#", head: "HEAD" },
    Noun { name: "clothes", prefix: "CLOTH#", head: "HEAD" },
];

/// An item's whole key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    /// An item's own.
    pub fn of(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let [pk, sk] = ["pk", "sk"].map(|name| item.get(name)?.as_s().ok().cloned());
        Some(Self { pk: pk?, sk: sk? })
    }
}

impl From<Key> for HashMap<String, AttributeValue> {
    fn from(key: Key) -> Self {
        [("pk".into(), AttributeValue::S(key.pk)), ("sk".into(), AttributeValue::S(key.sk))].into()
    }
}

fn key(pk: String, sk: &str) -> Key {
    Key { pk, sk: sk.into() }
}

/// Of an item that is alone in its partition.
const ALONE: &str = "-";

/// Of an item that is alone in its partition.
pub fn alone(pk: String) -> Key {
    key(pk, ALONE)
}

pub fn profile(of: UserId) -> Key {
    key(user(of), "PROFILE")
}

pub fn auth(of: UserId) -> Key {
    key(user(of), "AUTH")
}

pub fn phone(phone: &Phone) -> Key {
    key(format!("PHONE#{}-{}", phone.country(), phone.number()), ALONE)
}

pub fn email(email: &Email) -> Key {
    key(format!("EMAIL#{}", email.as_str()), ALONE)
}

/// A user name may be as long as a client cares to send; a key may not.
pub fn name(name: &str) -> Key {
    match name.len() {
        ..=512 => key(format!("NAME#{name}"), ALONE),
        _ => key(format!("NAME##{}", hash(name)), ALONE),
    }
}

/// `provider` is `qq`, `wechat` or `weibo`; the openid was proved, so it is the provider's and short.
pub fn third_party(provider: &str, openid: &str) -> Key {
    key(format!("OPENID#{provider}#{openid}"), ALONE)
}

/// Whose account it is.
pub fn account(account: &Account) -> Key {
    match account {
        Account::Phone(text) => phone(text),
        Account::Email(text) => email(text),
        Account::Name(text) => name(text),
        Account::Review(text) => key(format!("REVIEW#{}", hash(text)), ALONE),
    }
}

/// Only the hash of a device's id is kept: the id itself signs in.
pub fn device(id: &DeviceId) -> Key {
    key(format!("DEVICE#{}", hash(id.as_str())), ALONE)
}

/// Which devices are a user's, by what [`device`] is called.
pub const DEVICE: &str = "DEVICE#";

pub fn user_device(of: UserId, device: &Key) -> Key {
    Key { pk: user(of), sk: device.pk.clone() }
}

/// The device that an entry of [`DEVICE`]s names.
pub fn device_of(entry: &Key) -> Key {
    key(entry.sk.clone(), ALONE)
}

pub fn version_under_review(version: &str) -> Key {
    key(format!("VERSION#{}", hash(version)), ALONE)
}

/// Where guesses at an unknown account are counted. Hashed: people type passwords into the wrong field.
pub fn guesses_at(text: &Account) -> Key {
    key(format!("GUESS#{}", hash(&account(text).pk)), "AUTH")
}

/// `source` is a pseudonym, see `TokenKeys`.
pub fn sms_source(source: &str) -> Key {
    key(format!("SMSSOURCE#{source}"), ALONE)
}

pub fn sms(phone: &Phone) -> Key {
    key(format!("SMS#{}-{}", phone.country(), phone.number()), ALONE)
}

fn id(id: u64) -> String {
    format!("{id:016}")
}

/// The galleries and hearts of a user lie in the user's partition.
pub fn user(user: UserId) -> String {
    format!("U#{}", id(user.0))
}

pub const GALLERY: &str = "G#";
pub const HEART: &str = "H#";

pub fn user_gallery(owner: UserId, gallery: GalleryId) -> Key {
    Key { pk: user(owner), sk: format!("{GALLERY}{}", id(gallery.0)) }
}

pub fn gallery_count(owner: UserId) -> Key {
    key(user(owner), "GALLERIES")
}

pub fn heart(of: UserId, gallery: GalleryId) -> Key {
    Key { pk: user(of), sk: format!("{HEART}{}", id(gallery.0)) }
}

/// Those who gave a gallery a heart.
pub fn hearts(of: GalleryId) -> String {
    format!("HEARTS#{}", id(of.0))
}

pub fn heart_from(of: GalleryId, user: UserId) -> Key {
    Key { pk: hearts(of), sk: id(user.0) }
}

/// Who gave the heart, from the sort key of [`heart_from`].
pub fn heart_giver(sk: &str) -> Option<UserId> {
    number(sk).map(UserId)
}

pub const CLOSING: &str = "CLOSING#";

pub fn closing_gallery(owner: UserId, gallery: GalleryId) -> Key {
    Key { pk: user(owner), sk: format!("{CLOSING}{}", id(gallery.0)) }
}

pub fn gallery(gallery: GalleryId) -> String {
    format!("G#{}", id(gallery.0))
}

/// It sorts before the pictures, so that one query brings both.
pub fn gallery_head(of: GalleryId) -> Key {
    key(gallery(of), "HEAD")
}

pub const PICTURE: &str = "P#";

pub fn gallery_picture(of: GalleryId, picture: PictureId) -> Key {
    Key { pk: gallery(of), sk: format!("{PICTURE}{}", id(picture.0)) }
}

/// One partition takes 1,000 units of writing a second: some 500 uploads, each a transaction.
pub const WALL: &str = "WALL";

pub fn wall(picture: PictureId) -> Key {
    Key { pk: WALL.into(), sk: id(picture.0) }
}

/// A day is UTC's.
pub fn feedback(at: Millis, feedback: FeedbackId, from: UserId) -> Key {
    Key { pk: format!("FEEDBACK#{}", at / DAY), sk: format!("{}#{}", id(feedback.0), id(from.0)) }
}

pub const FEEDBACK: &str = "FEEDBACK#";

/// Where a piece of feedback lies, in its user's partition.
pub fn user_feedback(of: UserId, feedback: &Key) -> Key {
    let number = feedback.sk.split('#').next().unwrap_or_default();
    Key { pk: user(of), sk: format!("{}#{number}", feedback.pk) }
}

/// The feedback that an entry of [`FEEDBACK`] names.
pub fn feedback_of(from: UserId, entry: &Key) -> Option<Key> {
    let (pk, number) = entry.sk.rsplit_once('#')?;
    Some(Key { pk: pk.to_owned(), sk: format!("{number}#{}", id(from.0)) })
}

/// Of a piece of feedback.
pub fn feedback_id(of: &Key) -> Option<FeedbackId> {
    number(of.sk.split('#').next()?).map(FeedbackId)
}

pub const TRACK: &str = "TRACK#";

pub fn track(of: UserId, track: TrackId) -> Key {
    Key { pk: user(of), sk: format!("{TRACK}{}", id(track.0)) }
}

/// Of the hour or the day (UTC's) that `at` lies in.
pub fn done(by: UserId, at: Millis, span: Millis) -> Key {
    let letter = if span == DAY { 'D' } else { 'H' };
    Key { pk: user(by), sk: format!("DONE#{letter}{}", at / span) }
}

pub const GIFT: &str = "GIFT#";

pub fn gift(to: UserId, from: UserId) -> Key {
    Key { pk: user(to), sk: format!("{GIFT}{}", id(from.0)) }
}

pub const GAVE: &str = "GAVE#";

pub fn gave(from: UserId, to: UserId) -> Key {
    Key { pk: user(from), sk: format!("{GAVE}{}", id(to.0)) }
}

/// Operators choose the ids, and how long they are.
pub fn gift_entered(id: &str) -> Key {
    key(format!("GIVEN#{}", hash(id)), ALONE)
}

pub fn vip_granted(id: &str) -> Key {
    key(format!("GRANTED#{}", hash(id)), ALONE)
}

/// The partition of somebody whom one can follow.
pub fn followee(of: Followee) -> String {
    match of {
        Followee::User(id) => user(id),
        Followee::Master(id) => format!("MASTER#{:032x}", id.0),
        Followee::Merchant(id) => format!("MERCHANT#{:032x}", id.0),
    }
}

/// What is there of them as long as they are.
pub fn followee_head(of: Followee) -> Key {
    match of {
        Followee::User(id) => profile(id),
        Followee::Master(_) | Followee::Merchant(_) => key(followee(of), "HEAD"),
    }
}

pub fn counts(of: impl Into<Followee>) -> Key {
    key(followee(of.into()), "COUNTS")
}

/// The partition of an item's shards: beside its own, as all that each of a crowd writes. Two units a write, so it takes
/// 500 of them a second.
pub fn shards(counts: &Key) -> String {
    format!("{}#SHARDS", counts.pk)
}

/// A part of what an item counts.
pub fn shard(counts: &Key, shard: u16) -> Key {
    Key { pk: shards(counts), sk: format!("{shard:02}") }
}

/// `fanout` is told of its coming and going, as of [`OWN_ARTICLE`]'s.
pub const FOLLOWS: &str = "FOLLOWS#";
pub const FOLLOWING_USER: &str = "FOLLOWING#U#";
pub const FOLLOWING_MASTER: &str = "FOLLOWING#MASTER#";
pub const FOLLOWING_MERCHANT: &str = "FOLLOWING#MERCHANT#";
pub const FOLLOWER: &str = "FOLLOWER#";

pub fn follows(follower: UserId, of: Followee) -> Key {
    Key { pk: user(follower), sk: format!("{FOLLOWS}{}", followee(of)) }
}

/// What is known beside a user's feeds: [`always_beside_list`] and, behind it, those of [`lately_beside`].
pub fn beside_list(feed: Feed) -> String {
    format!("BESIDE#{}#", feed.makers())
}

pub fn always_beside_list(feed: Feed) -> String {
    format!("BESIDE#{}#ALWAYS#", feed.makers())
}

pub fn always_beside(follower: UserId, of: Followee) -> Key {
    beside(follower, "ALWAYS", of)
}

pub fn lately_beside(follower: UserId, of: Followee) -> Key {
    beside(follower, "LATELY", of)
}

fn beside(follower: UserId, when: &str, of: Followee) -> Key {
    let of = followee(of);
    let (kind, id) = of.split_once('#').unwrap_or((&of, ""));
    Key { pk: user(follower), sk: format!("BESIDE#{kind}#{when}#{id}") }
}

pub fn following(follower: UserId, of: Followee, entry: EntryId) -> Key {
    let of = followee(of);
    let kind = of.split_once('#').map_or(&*of, |(kind, _)| kind);
    Key { pk: user(follower), sk: format!("FOLLOWING#{kind}#{}", id(entry.0)) }
}

/// The partition of those who follow somebody, beside their own. Short, for a page far down reads thousands of them.
pub fn followers(of: Followee) -> String {
    format!("{}#F", followee(of))
}

pub fn follower(of: Followee, entry: EntryId) -> Key {
    Key { pk: followers(of), sk: format!("{FOLLOWER}{}", id(entry.0)) }
}

/// Those whose feeds are written to when somebody makes something, ahead of being read. In a partition of their own: the
/// followee's has enough to write when many follow at once.
pub fn ahead_list(of: Followee) -> String {
    format!("AHEAD#{}", followee(of))
}

pub fn ahead(of: Followee, follower: UserId) -> Key {
    Key { pk: ahead_list(of), sk: id(follower.0) }
}

/// The partition of what can be liked, collected and commented on, with all that hangs on it.
pub fn subject(of: Subject) -> String {
    match of {
        Subject::Article(article) => format!("A#{}", id(article.0)),
        Subject::Game(game) => format!("GAME#{}", id(game.0)),
        Subject::Cloth(cloth) => format!("CLOTH#{}", id(cloth.0)),
        Subject::Ticket(ticket) => format!("TICKET#{}", id(ticket.0)),
    }
}

/// The subject itself, with its counts.
pub fn head(of: impl Into<Subject>) -> Key {
    key(subject(of.into()), "HEAD")
}

pub fn article_text(of: ArticleId) -> Key {
    key(subject(of.into()), "TEXT")
}

pub const OWN_ARTICLE: &str = "ARTICLE#";
pub const PICTURED: &str = "PICTURED#";

pub fn own_article(author: UserId, article: ArticleId) -> Key {
    Key { pk: user(author), sk: format!("{OWN_ARTICLE}{}", id(article.0)) }
}

pub fn pictured(author: UserId, article: ArticleId) -> Key {
    Key { pk: user(author), sk: format!("{PICTURED}{}", id(article.0)) }
}

/// What a feed brings together of those whom its owner follows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feed {
    Articles,
    Projects,
    /// By batches of tickets that came as one record.
    Tickets,
}

impl Feed {
    /// Those that somebody's entries go into.
    pub fn of(followee: Followee) -> &'static [Self] {
        match followee {
            Followee::User(_) => &[Self::Articles],
            Followee::Master(_) => &[Self::Projects, Self::Tickets],
            Followee::Merchant(_) => &[],
        }
    }

    /// What the entries of its makers' own lists begin with.
    pub fn own_prefix(self) -> &'static str {
        match self {
            Self::Articles => OWN_ARTICLE,
            Self::Projects => "PROJECT#",
            Self::Tickets => "TICKETS#",
        }
    }

    /// The kind of those whose entries are in it.
    fn makers(self) -> &'static str {
        match self {
            Self::Articles => "U",
            Self::Projects | Self::Tickets => "MASTER",
        }
    }

    fn letter(self) -> &'static str {
        match self {
            Self::Articles => "F",
            Self::Projects => "FP",
            Self::Tickets => "FT",
        }
    }

    /// Who has made an entry.
    pub fn maker(self, item: &HashMap<String, AttributeValue>) -> Option<Followee> {
        let number = |name| item.get(name)?.as_n().ok()?.parse().ok();
        match self {
            Self::Articles => Some(Followee::User(UserId(number("author")?))),
            Self::Projects | Self::Tickets => {
                let digits = item.get("master")?.as_s().ok()?.clone();
                Some(Followee::Master(digits.try_into().ok()?))
            }
        }
    }
}

/// In the order of their places, which are those of their makers' own lists.
pub fn feed(feed: Feed, of: UserId) -> String {
    format!("{}#{}", feed.letter(), id(of.0))
}

pub fn feed_entry(feed: Feed, of: UserId, place: &str) -> Key {
    key(self::feed(feed, of), place)
}

pub fn feed_head(feed: Feed, of: UserId) -> Key {
    Key { pk: user(of), sk: format!("FEED#{}", feed.letter()) }
}

/// An entry in its maker's own list.
pub fn own_entry(feed: Feed, by: Followee, place: &str) -> Key {
    Key { pk: followee(by), sk: format!("{}{place}", feed.own_prefix()) }
}

pub fn article_place(article: ArticleId) -> String {
    id(article.0)
}

/// The article at a place of a feed of articles.
pub fn place_article(feed: Feed, place: &str) -> Option<ArticleId> {
    match feed {
        Feed::Articles => number(place).map(ArticleId),
        Feed::Projects | Feed::Tickets => None,
    }
}

/// What a place ends in.
pub fn place_number(place: &str) -> u64 {
    place.rsplit('#').next().and_then(number).unwrap_or_default()
}

pub fn mark(of: UserId, subject: impl Into<Subject>) -> Key {
    Key { pk: user(of), sk: format!("{MARK}{}", self::subject(subject.into())) }
}

pub const LIKER: &str = "LIKER#";
pub const COLLECTOR: &str = "COLLECTOR#";
pub const COLLECT: &str = "COLLECT#";
pub const COMMENT: &str = "COMMENT#";
/// Short, for a page far down a list reads thousands of them.
pub const COMMENT_PLACE: &str = "AT#";
pub const GONE: &str = "GONE#";

/// The partition of those who like and collect an article, beside its own.
pub fn marked(of: ArticleId) -> String {
    format!("{}#MARKED", subject(of.into()))
}

pub fn liker(of: ArticleId, entry: EntryId) -> Key {
    Key { pk: marked(of), sk: format!("{LIKER}{}", id(entry.0)) }
}

pub fn collector(of: ArticleId, entry: EntryId) -> Key {
    Key { pk: marked(of), sk: format!("{COLLECTOR}{}", id(entry.0)) }
}

pub fn collect(of: UserId, entry: EntryId) -> Key {
    Key { pk: user(of), sk: format!("{COLLECT}{}", id(entry.0)) }
}

pub fn comment(on: Subject, comment: CommentId) -> Key {
    Key { pk: subject(on), sk: format!("{COMMENT}{}", id(comment.0)) }
}

pub fn comment_place(on: Subject, comment: CommentId) -> Key {
    Key { pk: subject(on), sk: format!("{COMMENT_PLACE}{}", id(comment.0)) }
}

pub fn comment_subject(of: CommentId) -> Key {
    key(format!("C#{}", id(of.0)), ALONE)
}

pub const ANSWER: &str = "ANSWER#";

pub fn own_comment(by: UserId, comment: CommentId) -> Key {
    Key { pk: user(by), sk: format!("{COMMENT}{}", id(comment.0)) }
}

pub fn answer(to: UserId, comment: CommentId) -> Key {
    Key { pk: user(to), sk: format!("{ANSWER}{}", id(comment.0)) }
}

pub fn comment_gone(on: Subject, at: Millis, comment: CommentId) -> Key {
    Key { pk: subject(on), sk: format!("{}#{}", gone_at(at), id(comment.0)) }
}

/// One partition takes 1,000 units of writing a second: some 250 comments on tickets, each of which moves one.
pub const CIRCLE: &str = "CIRCLE";

pub fn circle(last: CommentId) -> Key {
    Key { pk: CIRCLE.into(), sk: id(last.0) }
}

/// What the keys of comments begin with that were deleted in one millisecond.
pub fn gone_at(at: Millis) -> String {
    format!("{GONE}{at:013}")
}

pub const VOTE: &str = "VOTE#";
pub const MARK: &str = "MARK#";

pub fn vote(of: UserId, on: Subject, comment: CommentId) -> Key {
    Key { pk: user(of), sk: format!("{VOTE}{}#{}", subject(on), id(comment.0)) }
}

/// A numbered list's top and its holes: the top sorts last, so that a query from the end begins with it.
pub fn numbered(list: &str) -> String {
    format!("L#{list}")
}

pub fn numbered_top(list: &str) -> Key {
    key(numbered(list), "TOP")
}

pub fn numbered_holes(list: &str, group: u64) -> Key {
    Key { pk: numbered(list), sk: format!("HOLES#{group:010}") }
}

/// The group of blocks whose holes an item counts.
pub fn group_of(item: &HashMap<String, AttributeValue>) -> Option<u64> {
    item.get("sk")?.as_s().ok()?.strip_prefix("HOLES#")?.parse().ok()
}

/// The number of an entry in a block.
pub fn number_of(item: &HashMap<String, AttributeValue>) -> Option<u64> {
    item.get("sk")?.as_s().ok()?.parse().ok()
}

pub fn numbered_block(list: &str, block: u64) -> String {
    format!("L#{list}#{block:010}")
}

pub fn numbered_entry(list: &str, block: u64, number: u64) -> Key {
    Key { pk: numbered_block(list, block), sk: id(number) }
}

/// Of a user who has left, what stays: the books.
pub const BOOKS: [&str; 4] = ["ITEMS#", ORDER, PAID, UNPAID];
pub const ORDER: &str = "ORDER#";
pub const UNPAID: &str = "UNPAID#";
pub const PAID: &str = "PAID#";

pub fn order(of: UserId, order: OrderId) -> Key {
    Key { pk: user(of), sk: format!("{ORDER}{}", id(order.0)) }
}

pub fn order_owner(order: OrderId) -> Key {
    key(format!("{ORDER}{}", id(order.0)), "-")
}

pub fn order_items(of: UserId, order: OrderId) -> Key {
    Key { pk: user(of), sk: format!("ITEMS#{}", id(order.0)) }
}

pub fn unpaid_order(of: UserId, order: OrderId) -> Key {
    Key { pk: user(of), sk: format!("{UNPAID}{}", id(order.0)) }
}

pub fn paid_order(of: UserId, order: OrderId) -> Key {
    Key { pk: user(of), sk: format!("{PAID}{}", id(order.0)) }
}

pub fn pending_orders(of: UserId) -> Key {
    key(user(of), "PENDING")
}

pub fn idempotent(of: UserId, idempotency_key: &str) -> Key {
    Key { pk: user(of), sk: format!("IDEMPOTENT#{}", hash(idempotency_key)) }
}

pub fn cart(of: UserId) -> Key {
    key(user(of), "CART")
}

/// Parts of what many orders write at once.
pub const PARTS: u64 = 8;

pub fn charges(part: u64) -> String {
    format!("CHARGES#{part}")
}

/// `at` is when the scheduled check asks what became of it.
pub fn charge(at: Millis, order: OrderId) -> Key {
    Key { pk: charges(order.0 % PARTS), sk: format!("{at:013}#{}", id(order.0)) }
}

/// Of a charge that has to be paid back: in the same list.
pub fn refund(at: Millis, order: OrderId, attempt: u32) -> Key {
    Key { pk: charges(order.0 % PARTS), sk: format!("{at:013}#{}#REFUND#{attempt}", id(order.0)) }
}

/// What a project's partition counts as sold, by the order that bought.
pub fn sold(of: ProjectId, order: OrderId) -> Key {
    Key { pk: project(of).pk, sk: format!("SOLD#{}", order.0 % PARTS) }
}

pub fn project(of: ProjectId) -> Key {
    key(format!("PROJECT#{}", id(of.0)), "HEAD")
}

pub const MERCHANT_CLOTH: &str = "CLOTH#";

/// In the list of what a merchant has.
pub fn merchant_cloth(of: MerchantId, cloth: ClothId) -> Key {
    Key { pk: followee(of.into()), sk: format!("{MERCHANT_CLOTH}{}", id(cloth.0)) }
}

/// What one record of tickets says of all of them, by the first one's id.
pub fn ticket_batch(first: TicketId) -> Key {
    key(format!("TICKETS#{}", id(first.0)), "HEAD")
}

/// A project's tickets that can be bought.
pub fn open_tickets(of: ProjectId) -> String {
    format!("OPEN#{}", id(of.0))
}

pub fn open_ticket(of: ProjectId, created_at: Millis, ticket: TicketId) -> Key {
    Key { pk: open_tickets(of), sk: content_place(created_at, ticket.0) }
}

pub fn closed_tickets(of: ProjectId) -> String {
    format!("CLOSED#{}", id(of.0))
}

pub fn closed_ticket(of: ProjectId, created_at: Millis, ticket: TicketId) -> Key {
    Key { pk: closed_tickets(of), sk: content_place(created_at, ticket.0) }
}

/// A list of content that operators bring; `name` is a word of ours.
pub fn list(name: &str) -> String {
    format!("LIST#{name}")
}

/// The place of content in a list that is read from its end: the `first` ones, and of these the newest.
pub fn place(name: &str, first: bool, created_at: Millis, content: u64) -> Key {
    Key { pk: list(name), sk: format!("{}#{}", u8::from(first), content_place(created_at, content)) }
}

pub fn place_hex(name: &str, first: bool, created_at: Millis, content: u128) -> Key {
    Key { pk: list(name), sk: format!("{}#{created_at:013}#{content:032x}", u8::from(first)) }
}

/// The place of content by when it came.
pub fn content_place(created_at: Millis, content: u64) -> String {
    format!("{created_at:013}#{}", id(content))
}

pub const LAST_MESSAGE: &str = "LAST#";

fn side(of: Side) -> String {
    of.followee().map_or("SERVICE".into(), followee)
}

pub const CHAT: &str = "CHAT#";

/// What the keys of a conversation's messages begin with.
pub fn conversation(with: Side) -> String {
    format!("{CHAT}{}#", side(with))
}

pub fn message(of: UserId, with: Side, message: MessageId) -> Key {
    Key { pk: user(of), sk: format!("{}{}", conversation(with), id(message.0)) }
}

pub fn last_message(of: UserId, message: MessageId) -> Key {
    Key { pk: user(of), sk: format!("{LAST_MESSAGE}{}", id(message.0)) }
}

pub fn talk(of: UserId, with: Side) -> Key {
    Key { pk: user(of), sk: format!("TALK#{}", side(with)) }
}

pub fn envelope(of: MessageId) -> Key {
    key(format!("MESSAGE#{}", id(of.0)), ALONE)
}

pub fn sent_messages(by: UserId) -> Key {
    key(user(by), "DONE#MESSAGES")
}

/// Of the day (UTC's) on which it was sent. One partition takes 1,000 units of writing a second: some 500 messages.
pub fn inbox(message: MessageId, from: UserId) -> Key {
    let day = message.made_at() / DAY;
    Key { pk: format!("INBOX#{day}"), sk: format!("{}#{}", id(message.0), id(from.0)) }
}

/// Operators choose the ids, and how long they are.
pub fn said(id: &str) -> Key {
    key(format!("SAID#{}", hash(id)), ALONE)
}

/// What the table's stream tells `fanout` of: this came or went, perhaps both by now.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamChange {
    Entry { feed: Feed, by: Followee, place: String },
    Follow { follower: UserId, followee: Followee },
    Gallery(GalleryId),
    Media { owner: UserId, media: MediaId },
}

impl StreamChange {
    /// From a stream record's key; `None` of all others.
    pub fn of(key: &Key) -> Option<Self> {
        if let (Some(media), Some(owner)) = (key.pk.strip_prefix("M#"), key.sk.strip_prefix(FILE_OF)) {
            return Some(Self::Media { owner: UserId(number(owner)?), media: MediaId::parse(media)? });
        }
        let of = followee_of(&key.pk)?;
        if let (Some(followee), Followee::User(follower)) = (key.sk.strip_prefix(FOLLOWS), of) {
            return Some(Self::Follow { follower, followee: followee_of(followee)? });
        }
        if let (Some(gallery), Followee::User(_)) = (key.sk.strip_prefix(GALLERY), of) {
            return number(gallery).map(GalleryId).map(Self::Gallery);
        }
        let entry = |feed: &Feed| {
            let place = key.sk.strip_prefix(feed.own_prefix())?.to_owned();
            number(place.rsplit('#').next()?)?;
            Some(Self::Entry { feed: *feed, by: of, place })
        };
        Feed::of(of).iter().find_map(entry)
    }
}

/// Reads what [`followee`] wrote.
fn followee_of(pk: &str) -> Option<Followee> {
    let hex = |digits: &str| {
        let plain = digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        plain.then(|| u128::from_str_radix(digits, 16).ok())?
    };
    match pk.split_once('#')? {
        ("U", id) => Some(Followee::User(UserId(number(id)?))),
        ("MASTER", id) => Some(Followee::Master(MasterId(hex(id)?))),
        ("MERCHANT", id) => Some(Followee::Merchant(MerchantId(hex(id)?))),
        _ => None,
    }
}

/// What a sort key such as `LIKER#…` begins with.
pub fn list_of(sk: &str) -> &str {
    sk.split_inclusive('#').next().unwrap_or_default()
}

/// The number at the end of a sort key such as `LIKER#…`.
pub fn entry_number(sk: &str) -> Option<u64> {
    number(sk.split_once('#')?.1)
}

/// Reads what [`id`] wrote.
fn number(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// Nobody's: read to open the connection.
pub fn warm() -> Key {
    key("WARM".into(), ALONE)
}

/// A day is UTC's.
pub fn sms_day(at: Millis) -> Key {
    key(format!("SMSDAY#{}", at / DAY), ALONE)
}

/// The owner is part of the key, so that nobody finds somebody else's, and that the stream tells whose one was.
pub fn media(owner: UserId, media: &MediaId) -> Key {
    Key { pk: medias(media), sk: format!("{FILE_OF}{}", id(owner.0)) }
}

const FILE_OF: &str = "OF#";

/// Where a file's record lies, whoever's it is.
pub fn medias(media: &MediaId) -> String {
    format!("M#{media}")
}

/// Of uploads, and avatars.
pub const USER_MEDIA: &str = "MEDIA#";

pub fn user_media(of: UserId, media: &MediaId) -> Key {
    Key { pk: user(of), sk: format!("{USER_MEDIA}{media}") }
}

pub fn export(of: UserId) -> Key {
    key(user(of), "EXPORT")
}

/// Whose export is to be made, those first who wait longest.
pub const EXPORTING: &str = "EXPORTING";

pub fn exporting(at: Millis, user: UserId) -> Key {
    Key { pk: EXPORTING.into(), sk: format!("{at:013}#{}", id(user.0)) }
}

/// Who has left, those first who are to be gone on with first.
pub const LEAVING: &str = "LEAVING";

pub fn leaving(at: Millis, user: UserId) -> Key {
    Key { pk: LEAVING.into(), sk: format!("{at:013}#{}", id(user.0)) }
}

/// `place` is a word of ours.
pub fn banners(place: &str) -> String {
    format!("BANNER#{place}")
}

pub fn banner(place: &str, banner: u64) -> Key {
    Key { pk: banners(place), sk: id(banner) }
}

fn hash(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GameId, HOUR};

    #[test]
    fn keys_are_spelt_so() {
        let spelt = |key: Key| format!("{} / {}", key.pk, key.sk);
        let hong_kong = Phone::parse("+85212345678").unwrap();
        assert_eq!(spelt(profile(UserId(6))), "U#0000000000000006 / PROFILE");
        assert_eq!(spelt(auth(UserId((1 << 53) - 1))), "U#9007199254740991 / AUTH");
        assert_eq!(spelt(phone(&hong_kong)), "PHONE#852-12345678 / -");
        assert_eq!(spelt(email(&Email::parse("A@b.com").unwrap())), "EMAIL#a@b.com / -");
        assert_eq!(spelt(name("felix")), "NAME#felix / -");
        assert_eq!(spelt(third_party("qq", "ABC")), "OPENID#qq#ABC / -");
        assert_eq!(spelt(account(&Account::parse("13800138000"))), "PHONE#86-13800138000 / -");
        assert_eq!(
            spelt(guesses_at(&Account::parse("felix"))),
            "GUESS#19f06aa8364dba46ad47b8860e6077abeee20978534c3b2a080976a20b8f6b4b / AUTH"
        );
        assert_eq!(spelt(sms(&hong_kong)), "SMS#852-12345678 / -");
        assert_eq!(spelt(sms_source("0a1b")), "SMSSOURCE#0a1b / -");
        assert_eq!(spelt(user_gallery(UserId(6), GalleryId(7))), "U#0000000000000006 / G#0000000000000007");
        assert_eq!(spelt(closing_gallery(UserId(6), GalleryId(7))), "U#0000000000000006 / CLOSING#0000000000000007");
        assert_eq!(spelt(gallery_count(UserId(6))), "U#0000000000000006 / GALLERIES");
        assert_eq!(spelt(heart(UserId(6), GalleryId(7))), "U#0000000000000006 / H#0000000000000007");
        assert_eq!(spelt(heart_from(GalleryId(7), UserId(6))), "HEARTS#0000000000000007 / 0000000000000006");
        assert_eq!(heart_giver(&heart_from(GalleryId(7), UserId(6)).sk), Some(UserId(6)));
        assert_eq!(spelt(gallery_head(GalleryId(7))), "G#0000000000000007 / HEAD");
        assert_eq!(spelt(gallery_picture(GalleryId(7), PictureId(8))), "G#0000000000000007 / P#0000000000000008");
        assert_eq!(spelt(wall(PictureId(8))), "WALL / 0000000000000008");
        assert_eq!(spelt(media(UserId(6), &MediaId("a.jpeg".into()))), "M#a.jpeg / OF#0000000000000006");
        assert_eq!(spelt(banner("home", 9)), "BANNER#home / 0000000000000009");
        assert_eq!(spelt(sms_day(1_700_000_000_000)), "SMSDAY#19675 / -");
        let device_id = DeviceId::parse("0123456789abcdef").unwrap();
        assert_eq!(
            spelt(device(&device_id)),
            "DEVICE#9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f / -"
        );
        assert_eq!(
            spelt(account(&Account::Review("apple".into()))),
            "REVIEW#3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b / -"
        );
        assert_eq!(
            spelt(version_under_review("1.0")),
            "VERSION#d0ff5974b6aa52cf562bea5921840c032a860a91a3512f7fe8f768f6bbe005f6 / -"
        );
        assert_eq!(
            spelt(feedback(1_700_000_000_000, FeedbackId(9), UserId(6))),
            "FEEDBACK#19675 / 0000000000000009#0000000000000006"
        );
        assert_eq!(spelt(track(UserId(6), TrackId(9))), "U#0000000000000006 / TRACK#0000000000000009");
        let (wrote, hers) = (feedback(1_700_000_000_000, FeedbackId(9), UserId(6)), device(&device_id));
        assert_eq!(spelt(user_feedback(UserId(6), &wrote)), "U#0000000000000006 / FEEDBACK#19675#0000000000000009");
        assert_eq!(feedback_of(UserId(6), &user_feedback(UserId(6), &wrote)), Some(wrote));
        assert_eq!(
            spelt(user_device(UserId(6), &hers)),
            "U#0000000000000006 / DEVICE#9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f"
        );
        assert_eq!(device_of(&user_device(UserId(6), &hers)), hers);
        assert_eq!(spelt(user_media(UserId(6), &MediaId("a.jpeg".into()))), "U#0000000000000006 / MEDIA#a.jpeg");
        assert_eq!(spelt(export(UserId(6))), "U#0000000000000006 / EXPORT");
        assert_eq!(spelt(exporting(1_700_000_000_000, UserId(6))), "EXPORTING / 1700000000000#0000000000000006");
        assert_eq!(spelt(leaving(1_700_000_000_000, UserId(6))), "LEAVING / 1700000000000#0000000000000006");
        assert_eq!(spelt(gave(UserId(6), UserId(7))), "U#0000000000000006 / GAVE#0000000000000007");
        assert_eq!(spelt(gift(UserId(6), UserId(7))), "U#0000000000000006 / GIFT#0000000000000007");
        assert_eq!(spelt(done(UserId(6), 1_700_000_000_000, HOUR)), "U#0000000000000006 / DONE#H472222");
        assert_eq!(spelt(done(UserId(6), 1_700_000_000_000, DAY)), "U#0000000000000006 / DONE#D19675");
        assert_eq!(
            spelt(gift_entered("1")),
            "GIVEN#6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b / -"
        );
        assert_eq!(
            spelt(vip_granted("1")),
            "GRANTED#6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b / -"
        );
        assert_eq!(spelt(counts(UserId(6))), "U#0000000000000006 / COUNTS");
        assert_eq!(spelt(shard(&counts(UserId(6)), 7)), "U#0000000000000006#SHARDS / 07");
        let (hers, master) = (Followee::User(UserId(7)), Followee::Master(MasterId(0xabc)));
        let merchant = Followee::Merchant(MerchantId(0xdef));
        assert_eq!(spelt(counts(MasterId(0xabc))), "MASTER#00000000000000000000000000000abc / COUNTS");
        assert_eq!(spelt(followee_head(hers)), "U#0000000000000007 / PROFILE");
        assert_eq!(spelt(followee_head(merchant)), "MERCHANT#00000000000000000000000000000def / HEAD");
        assert_eq!(spelt(follows(UserId(6), hers)), "U#0000000000000006 / FOLLOWS#U#0000000000000007");
        assert_eq!(
            spelt(follows(UserId(6), master)),
            "U#0000000000000006 / FOLLOWS#MASTER#00000000000000000000000000000abc"
        );
        assert_eq!(spelt(always_beside(UserId(6), hers)), "U#0000000000000006 / BESIDE#U#ALWAYS#0000000000000007");
        assert_eq!(
            spelt(lately_beside(UserId(6), master)),
            "U#0000000000000006 / BESIDE#MASTER#LATELY#00000000000000000000000000000abc"
        );
        assert!(always_beside(UserId(6), hers).sk.starts_with(&always_beside_list(Feed::Articles)));
        assert!(lately_beside(UserId(6), master).sk.starts_with(&beside_list(Feed::Tickets)));
        assert_eq!(spelt(following(UserId(6), hers, EntryId(9))), "U#0000000000000006 / FOLLOWING#U#0000000000000009");
        assert_eq!(
            spelt(following(UserId(6), merchant, EntryId(9))),
            "U#0000000000000006 / FOLLOWING#MERCHANT#0000000000000009"
        );
        assert_eq!(spelt(follower(hers, EntryId(9))), "U#0000000000000007#F / FOLLOWER#0000000000000009");
        assert_eq!(spelt(ahead(hers, UserId(6))), "AHEAD#U#0000000000000007 / 0000000000000006");
        assert_eq!(spelt(head(ArticleId(5))), "A#0000000000000005 / HEAD");
        assert_eq!(spelt(shard(&head(ArticleId(5)), 15)), "A#0000000000000005#SHARDS / 15");
        assert_eq!(spelt(head(GameId(5))), "GAME#0000000000000005 / HEAD");
        assert_eq!(spelt(head(ClothId(5))), "CLOTH#0000000000000005 / HEAD");
        assert_eq!(spelt(head(TicketId(5))), "TICKET#0000000000000005 / HEAD");
        assert_eq!(spelt(article_text(ArticleId(5))), "A#0000000000000005 / TEXT");
        assert_eq!(spelt(own_article(UserId(6), ArticleId(5))), "U#0000000000000006 / ARTICLE#0000000000000005");
        assert_eq!(spelt(pictured(UserId(6), ArticleId(5))), "U#0000000000000006 / PICTURED#0000000000000005");
        let at = article_place(ArticleId(5));
        assert_eq!(spelt(feed_entry(Feed::Articles, UserId(6), &at)), "F#0000000000000006 / 0000000000000005");
        assert_eq!(spelt(feed_head(Feed::Articles, UserId(6))), "U#0000000000000006 / FEED#F");
        assert_eq!(spelt(own_entry(Feed::Articles, hers, &at)), "U#0000000000000007 / ARTICLE#0000000000000005");
        assert_eq!(spelt(mark(UserId(6), ArticleId(5))), "U#0000000000000006 / MARK#A#0000000000000005");
        assert_eq!(spelt(liker(ArticleId(5), EntryId(9))), "A#0000000000000005#MARKED / LIKER#0000000000000009");
        assert_eq!(
            spelt(collector(ArticleId(5), EntryId(9))),
            "A#0000000000000005#MARKED / COLLECTOR#0000000000000009"
        );
        assert_eq!(spelt(collect(UserId(6), EntryId(9))), "U#0000000000000006 / COLLECT#0000000000000009");
        let (article, game) = (Subject::Article(ArticleId(5)), Subject::Game(GameId(5)));
        assert_eq!(spelt(comment(article, CommentId(4))), "A#0000000000000005 / COMMENT#0000000000000004");
        assert_eq!(spelt(comment_place(article, CommentId(4))), "A#0000000000000005 / AT#0000000000000004");
        assert_eq!(spelt(comment_subject(CommentId(4))), "C#0000000000000004 / -");
        assert_eq!(spelt(circle(CommentId(4))), "CIRCLE / 0000000000000004");
        assert_eq!(spelt(own_comment(UserId(6), CommentId(4))), "U#0000000000000006 / COMMENT#0000000000000004");
        assert_eq!(spelt(answer(UserId(6), CommentId(4))), "U#0000000000000006 / ANSWER#0000000000000004");
        assert_eq!(
            spelt(comment_gone(article, 1_700_000_000_000, CommentId(4))),
            "A#0000000000000005 / GONE#1700000000000#0000000000000004"
        );
        assert_eq!(
            spelt(vote(UserId(6), game, CommentId(4))),
            "U#0000000000000006 / VOTE#GAME#0000000000000005#0000000000000004"
        );
        assert_eq!(spelt(order(UserId(6), OrderId(9))), "U#0000000000000006 / ORDER#0000000000000009");
        assert_eq!(spelt(order_owner(OrderId(9))), "ORDER#0000000000000009 / -");
        assert_eq!(spelt(order_items(UserId(6), OrderId(9))), "U#0000000000000006 / ITEMS#0000000000000009");
        assert_eq!(spelt(unpaid_order(UserId(6), OrderId(9))), "U#0000000000000006 / UNPAID#0000000000000009");
        assert_eq!(spelt(paid_order(UserId(6), OrderId(9))), "U#0000000000000006 / PAID#0000000000000009");
        assert_eq!(spelt(pending_orders(UserId(6))), "U#0000000000000006 / PENDING");
        assert_eq!(spelt(cart(UserId(6))), "U#0000000000000006 / CART");
        assert_eq!(
            spelt(idempotent(UserId(6), "1")),
            "U#0000000000000006 / IDEMPOTENT#6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
        );
        assert_eq!(spelt(charge(1_700_000_000_000, OrderId(9))), "CHARGES#1 / 1700000000000#0000000000000009");
        assert_eq!(
            spelt(refund(1_700_000_000_000, OrderId(9), 2)),
            "CHARGES#1 / 1700000000000#0000000000000009#REFUND#2"
        );
        assert_eq!(spelt(sold(ProjectId(5), OrderId(9))), "PROJECT#0000000000000005 / SOLD#1");
        assert_eq!(
            spelt(closed_ticket(ProjectId(5), 1_700_000_000_000, TicketId(8))),
            "CLOSED#0000000000000005 / 1700000000000#0000000000000008"
        );
        assert_eq!(
            spelt(merchant_cloth(MerchantId(0xdef), ClothId(5))),
            "MERCHANT#00000000000000000000000000000def / CLOTH#0000000000000005"
        );
        assert_eq!(spelt(project(ProjectId(5))), "PROJECT#0000000000000005 / HEAD");
        assert_eq!(spelt(place("games", true, 1_700_000_000_000, 5)), "LIST#games / 1#1700000000000#0000000000000005");
        assert_eq!(
            spelt(place_hex("masters", false, 1_700_000_000_000, 5)),
            "LIST#masters / 0#1700000000000#00000000000000000000000000000005"
        );
        let at = content_place(1_700_000_000_000, 5);
        assert_eq!(
            spelt(own_entry(Feed::Projects, master, &at)),
            "MASTER#00000000000000000000000000000abc / PROJECT#1700000000000#0000000000000005"
        );
        assert_eq!(
            spelt(feed_entry(Feed::Projects, UserId(6), &at)),
            "FP#0000000000000006 / 1700000000000#0000000000000005"
        );
        let (me, message) = (UserId(6), MessageId(9));
        assert_eq!(
            spelt(self::message(me, Side::User(UserId(7)), message)),
            "U#0000000000000006 / CHAT#U#0000000000000007#0000000000000009"
        );
        assert_eq!(
            spelt(self::message(me, Side::Master(MasterId(0xabc)), message)),
            "U#0000000000000006 / CHAT#MASTER#00000000000000000000000000000abc#0000000000000009"
        );
        assert_eq!(
            spelt(self::message(me, Side::CustomerService, message)),
            "U#0000000000000006 / CHAT#SERVICE#0000000000000009"
        );
        assert_eq!(spelt(last_message(me, message)), "U#0000000000000006 / LAST#0000000000000009");
        assert_eq!(
            spelt(talk(me, Side::Merchant(MerchantId(0xdef)))),
            "U#0000000000000006 / TALK#MERCHANT#00000000000000000000000000000def"
        );
        assert_eq!(spelt(envelope(message)), "MESSAGE#0000000000000009 / -");
        assert_eq!(spelt(sent_messages(me)), "U#0000000000000006 / DONE#MESSAGES");
        assert_eq!(spelt(inbox(message, me)), "INBOX#20089 / 0000000000000009#0000000000000006");
        assert_eq!(spelt(said("1")), "SAID#6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b / -");
        assert_eq!(spelt(numbered_top("articles")), "L#articles / TOP");
        assert_eq!(spelt(numbered_holes("articles", 1)), "L#articles / HOLES#0000000001");
        assert_eq!(spelt(numbered_entry("articles", 1, 130)), "L#articles#0000000001 / 0000000000000130");
    }

    #[test]
    fn no_name_is_too_long_for_a_key() {
        let long = "é".repeat(100_000);
        assert!(name(&long).pk.len() < 1024);
        assert_ne!(name(&long), name(&format!("{long}x")));
        assert_eq!(name(&"x".repeat(512)).pk.len(), 517);
    }

    #[test]
    fn the_stream_tells_of_articles_and_follows() {
        let told = |pk: &str, sk: &str| StreamChange::of(&Key { pk: pk.into(), sk: sk.into() });
        assert_eq!(
            told("U#0000000000000006", "ARTICLE#0000000000000005"),
            Some(StreamChange::Entry {
                feed: Feed::Articles,
                by: Followee::User(UserId(6)),
                place: "0000000000000005".into()
            })
        );
        assert_eq!(
            told("U#0000000000000006", "FOLLOWS#U#9007199254740991"),
            Some(StreamChange::Follow { follower: UserId(6), followee: Followee::User(UserId((1 << 53) - 1)) })
        );
        assert_eq!(told("U#0000000000000006", "G#0000000000000007"), Some(StreamChange::Gallery(GalleryId(7))));
        for (pk, sk) in [
            ("U#0000000000000006", "PROFILE"),
            ("U#0000000000000006", "GALLERIES"),
            ("MASTER#00000000000000000000000000000abc", "G#0000000000000007"),
            ("U#0000000000000006", "FOLLOWING#U#0000000000000009"),
            ("U#0000000000000006", "PICTURED#0000000000000005"),
            ("U#0000000000000006", "ARTICLE#5"),
            ("U#0000000000000006", "ARTICLE#+000000000000005"),
            ("A#0000000000000006", "ARTICLE#0000000000000005"),
            ("A#0000000000000006", "HEAD"),
            ("U#6", "FOLLOWS#U#0000000000000007"),
            ("U#0000000000000006", "FOLLOWS#MASTER#abc"),
            ("MASTER#00000000000000000000000000000abc", "FOLLOWS#U#0000000000000006"),
            ("U#0000000000000006", "BESIDE#U#LATELY#0000000000000007"),
        ] {
            assert_eq!(told(pk, sk), None, "{pk} / {sk}");
        }
        assert_eq!(entry_number("LIKER#0000000000000009"), Some(9));
        assert_eq!(entry_number("ARTICLE"), None);
    }
}
