//! Messages between a user and somebody else: another user, a master, a merchant, customer service.
//!
//! Of what two users write to each other each has entries of their own, so that deleting hides a message from oneself
//! alone; the other sides are the operators', who find in their inbox what users wrote. A message's envelope says which of
//! its users still have it, and goes with the last of them.
//!
//! *Invariant.* A user's conversation stands among their conversations exactly once, under its newest message, while it has
//! one. Whoever adds a message or takes some away does so on condition that the newest is still the one that they saw, or
//! that there still is none. A new message's id is above those of its conversation, however far two clocks are apart.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use futures_util::future::try_join_all;
use ring::digest;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, json};

use super::{
    contents::{Content, Imported, Standing},
    keys::{self, Key},
    masters::Master,
    merchants::Merchant,
    table::{Action, Item, Outcome, Range, Store, THERE, full_page, number, read},
    users::Profile,
    window::{ONE_MORE, Window, moment},
};
use crate::{
    domain::{Followee, MINUTE, MasterId, MerchantId, MessageId, Millis, Page, Refusal, Side, Thing, UserId, hex},
    words,
};

const NO_MESSAGE: Refusal = Refusal::NoSuch(Thing::Message);
const NO_USER: Refusal = Refusal::NoSuch(Thing::User);

/// What one user sends at most.
const A_MINUTE: Window = Window { most: 60, span: MINUTE };
/// Text, in bytes, up to which an entry is one KB. A longer text stands in the envelope, once for both sides.
const SHORT: usize = 600;
/// Messages of one conversation that are deleted in one transaction, which takes 100 actions: two each, and four.
const DELETED_AT_ONCE: usize = 45;
/// Conversations in which messages are deleted side by side.
const CONVERSATIONS_AT_ONCE: usize = 10;

/// A message as one user has it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct MessageEntry {
    pub(super) message: MessageId,
    /// The other side.
    side: Side,
    /// Whether the user wrote it.
    is_own: bool,
    /// Unless it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// What a message's id alone leads to. All but `deleted_by` never changes.
#[derive(Serialize, Deserialize)]
struct Envelope {
    from: Side,
    to: Side,
    /// The text, where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// Which of two users has deleted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_by: Option<UserId>,
}

/// That a user has a conversation.
#[derive(Serialize)]
struct Talk {
    side: Side,
}

/// What a user wrote to one who is no user: the copy of the other side, which is the operators'.
#[derive(Serialize)]
struct Written<'a> {
    message: MessageId,
    from: UserId,
    to: Side,
    content: &'a str,
}

/// When a user sent messages, as moments.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Sent {
    #[serde(with = "serde_dynamo::string_set")]
    sent: BTreeSet<String>,
}

/// What operators have said under an id of theirs.
#[derive(Serialize, Deserialize)]
struct Said {
    message: MessageId,
    from: Side,
    to: UserId,
    /// Of the text, which the user may delete.
    hash: String,
    /// It was taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    withdrawn: bool,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// It tells when it was sent.
    pub id: MessageId,
    pub from: Side,
    pub to: Side,
    pub content: String,
}

/// Who is on the other side of a conversation: what is known of them, unless they are gone.
#[derive(Clone)]
pub enum OtherSide {
    User(UserId, Option<Box<Profile>>),
    Master(MasterId, Option<Box<Content<Master>>>),
    Merchant(MerchantId, Option<Box<Content<Merchant>>>),
    CustomerService,
}

/// A conversation with its newest message.
pub struct Conversation {
    pub with: OtherSide,
    pub last: Message,
}

/// What operators say to a user, for one who is no user.
pub struct OperatorsMessage {
    /// Of the operators' choosing: under each one message is sent.
    pub record_id: String,
    /// Whom the id that they sent may mean: the first that there is.
    pub from: Vec<Side>,
    pub to: UserId,
    pub content: String,
}

impl OtherSide {
    pub fn side(&self) -> Side {
        match self {
            Self::User(id, _) => (*id).into(),
            Self::Master(id, _) => (*id).into(),
            Self::Merchant(id, _) => (*id).into(),
            Self::CustomerService => Side::CustomerService,
        }
    }

    pub fn is_gone(&self) -> bool {
        matches!(self, Self::User(_, None) | Self::Master(_, None) | Self::Merchant(_, None))
    }
}

impl MessageEntry {
    fn read_by(self, reader: UserId, content: String) -> Message {
        let (from, to) = match self.is_own {
            true => (reader.into(), self.side),
            false => (self.side, reader.into()),
        };
        Message { id: self.message, from, to, content }
    }
}

impl Envelope {
    /// Whom a user has this message's conversation with, if it is theirs.
    fn other_side(&self, user: UserId) -> Option<Side> {
        match Side::from(user) {
            user if user == self.from => Some(self.to),
            user if user == self.to => Some(self.from),
            _ => None,
        }
    }
}

impl Store {
    /// Writes to somebody else. 404 where there is nobody, or they are withdrawn; 429 beyond 60 messages a minute, tries
    /// included. A round and a transaction.
    pub async fn send_message(&self, from: UserId, to: Side, content: &str) -> Result<MessageId, Refusal> {
        let (from_side, receiver, is_first) = (from.into(), &[to], &AtomicBool::new(true));
        let build = |_| async move {
            // Others write in this conversation, too.
            if !is_first.swap(false, Relaxed) {
                return self.sent(from_side, to, content).await;
            }
            let (there, sent, ()) = tokio::try_join!(
                self.are_there(receiver),
                self.sent(from_side, to, content),
                self.count_sending(from)
            )?;
            match to.followee() {
                Some(nobody) if there.is_empty() => Err(Refusal::NoSuch(nobody.thing())),
                _ => Ok(sent),
            }
        };
        self.transact(build).await
    }

    /// Whether operators have sent it, or taken it back, as they say now. One read.
    pub async fn is_operators_message(&self, message: &OperatorsMessage, withdrawn: bool) -> Result<bool, Refusal> {
        let said: Option<Said> = self.get(keys::said(&message.record_id)).await?;
        match said {
            Some(said) => message.is_as(&said, withdrawn),
            // Nothing is to be taken back.
            None => Ok(withdrawn),
        }
    }

    /// Sends what operators say, or takes it back, unless that was done. 409 where another message was sent under its id,
    /// or this one was taken back; 404 where the user, or who says it, is nobody. A read, a round and a transaction.
    pub async fn import_message(&self, message: &OperatorsMessage, withdrawn: bool) -> Result<Imported, Refusal> {
        if self.is_operators_message(message, withdrawn).await? {
            return Ok(Imported::Unchanged);
        }
        if withdrawn {
            return self.take_message_back(message).await;
        }
        let OperatorsMessage { record_id, from, to, content } = message;
        let build = |said: Option<Item>| async move {
            if let Some(said) = said {
                message.is_as(&read(said)?, false)?;
                return Ok((vec![], Imported::Unchanged));
            }
            let receiver = [Side::from(*to)];
            let (from, user) = tokio::try_join!(self.are_there(from), self.are_there(&receiver))?;
            user.first().ok_or(NO_USER)?;
            let from = *from.first().ok_or(Refusal::NoSuch(Thing::MasterOrMerchant))?;
            let (mut actions, id) = self.sent(from, (*to).into(), content).await?;
            let said = Said { message: id, from, to: *to, hash: message.hash(), withdrawn: false };
            actions.push(Action::put_new(keys::said(record_id), &said).or_look());
            Ok((actions, Imported::Written))
        };
        self.transact(build).await
    }

    /// First the message goes, so that a repeat of what breaks off here begins again.
    async fn take_message_back(&self, message: &OperatorsMessage) -> Result<Imported, Refusal> {
        let said: Said = self.get(keys::said(&message.record_id)).await?.ok_or(Refusal::Unavailable)?;
        self.delete_messages(said.to, &BTreeSet::from([said.message])).await?;
        self.put(keys::said(&message.record_id), &Said { withdrawn: true, ..said }).await?;
        Ok(Imported::Written)
    }

    /// Those of some sides that one can write to, and that can write, in their order. One read.
    async fn are_there(&self, sides: &[Side]) -> Result<Vec<Side>, Refusal> {
        let followees = sides.iter().filter_map(|side| side.followee());
        let heads: HashMap<_, Standing> = self.get_each(followees, keys::followee_head).await?;
        let is_there = |side: &Side| match side.followee() {
            Some(followee) => heads.get(&followee).is_some_and(|head| !head.withdrawn),
            None => true,
        };
        Ok(sides.iter().copied().filter(is_there).collect())
    }

    /// Counts one more before it is sent. One write.
    async fn count_sending(&self, user: UserId) -> Result<(), Refusal> {
        let (key, now, moment) = (keys::sent_messages(user), self.system.now(), moment(&self.system));
        let update = A_MINUTE.counted(&key, ONE_MORE, &moment, now);
        loop {
            let Outcome::Refused(full) = self.change(update.clone()).await? else {
                return Ok(());
            };
            let Sent { sent } = read(full)?;
            let full = |wait: Millis| {
                words!(
                    "at most {most} messages a minute: try again in {seconds} s",
                    "每分钟最多 {most} 条消息，请 {seconds} 秒后再试",
                    most = A_MINUTE.most,
                    seconds = wait.div_ceil(1000)
                )
            };
            self.make_room(&A_MINUTE, &key, &sent, now, full).await?;
        }
    }

    /// What sends a message, and its id. One round.
    async fn sent(&self, from: Side, to: Side, content: &str) -> Result<(Vec<Action>, MessageId), Refusal> {
        let users: Vec<_> = [(from, to, true), (to, from, false)]
            .into_iter()
            .filter_map(|(of, side, is_own)| match of {
                Side::User(user) => Some((user, side, is_own)),
                _ => None,
            })
            .collect();
        let newest = try_join_all(users.iter().map(|(user, side, _)| self.newest_message(*user, *side))).await?;
        let [chance] = self.system.random();
        let above = newest.iter().flatten().map(|newest| MessageId(newest.0 + 1 + u64::from(chance)));
        let id = above.fold(MessageId::fresh(&self.system), MessageId::max);

        let (short, long) = match content.len() {
            ..=SHORT => (Some(content.to_owned()), None),
            _ => (None, Some(content.to_owned())),
        };
        let envelope = Envelope { from, to, content: long, deleted_by: None };
        // Another message of this millisecond may have drawn the same id.
        let mut actions = vec![Action::put_new(keys::envelope(id), &envelope).or_again()];
        for ((user, side, is_own), newest) in users.into_iter().zip(newest) {
            let entry = MessageEntry { message: id, side, is_own, content: short.clone() };
            match newest {
                Some(newest) => actions.push(Action::delete_there(keys::last_message(user, newest)).or_again()),
                None => actions.extend([
                    Action::put_new(keys::talk(user, side), &Talk { side }).or_again(),
                    // Nobody writes to a partition that was emptied meanwhile.
                    Action::check(keys::profile(user)).when(THERE).or_refuse(NO_USER),
                ]),
            }
            actions.push(Action::put(keys::message(user, side, id), &entry));
            actions.push(Action::put(keys::last_message(user, id), &entry));
        }
        if let (Side::User(from), Side::Master(_) | Side::Merchant(_) | Side::CustomerService) = (from, to) {
            actions.push(Action::put(keys::inbox(id, from), &Written { message: id, from, to, content }));
        }
        Ok((actions, id))
    }

    async fn newest_message(&self, of: UserId, with: Side) -> Result<Option<MessageId>, Refusal> {
        let entries: Vec<MessageEntry> = self.newest(keys::user(of), &keys::conversation(with), Page::first(1)).await?;
        Ok(entries.first().map(|entry| entry.message))
    }

    /// A page of a user's conversation, the newest message first, and who is on its other side, unless they are gone.
    /// `sides` are those whom the user may mean: the first with whom there are messages, else the first who is there; 404
    /// where nobody is. One round, and another one for long texts.
    pub async fn messages(
        &self,
        user: UserId,
        sides: &[Side],
        page: Page,
    ) -> Result<(OtherSide, Vec<Message>), Refusal> {
        let pages = try_join_all(sides.iter().map(|side| self.messages_with(user, *side, page)));
        let (pages, others) = tokio::try_join!(pages, self.other_sides(sides))?;
        let mut meant: Vec<_> = others.into_iter().zip(pages).collect();
        // Of two who are alike in this the first stays the first.
        meant.sort_by_key(|(other, page)| (page.is_empty(), other.is_gone()));
        match meant.into_iter().next() {
            // An empty page of a conversation with somebody who is gone is one behind its end.
            Some((other, messages)) if !messages.is_empty() || !other.is_gone() || page.offset > 0 => {
                Ok((other, messages))
            }
            _ => Err(Refusal::NoSuch(Thing::UserMasterOrMerchant)),
        }
    }

    async fn messages_with(&self, user: UserId, side: Side, page: Page) -> Result<Vec<Message>, Refusal> {
        let list = keys::conversation(side);
        let next = |part: Page, last: Option<MessageEntry>| {
            let after = last.map(|last| keys::message(user, side, last.message));
            self.items(Range::new(keys::user(user), &list).newest_first().after(after), part)
        };
        full_page(page, next, async |entries| Ok(self.with_texts(user, entries).await?.into_iter().flatten().collect()))
            .await
    }

    /// A page of a user's conversations, the one with the newest message first. Two rounds.
    pub async fn conversations(&self, user: UserId, page: Page) -> Result<Vec<Conversation>, Refusal> {
        let next = |part: Page, last: Option<MessageEntry>| {
            let after = last.map(|last| keys::last_message(user, last.message));
            self.items(Range::new(keys::user(user), keys::LAST_MESSAGE).newest_first().after(after), part)
        };
        // A query may see one part of a transaction before the other: the new place of a conversation beside its old one.
        let seen = &Mutex::new(HashSet::new());
        full_page(page, next, |mut entries: Vec<MessageEntry>| async move {
            entries.retain(|entry| seen.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.side));
            let sides: Vec<_> = entries.iter().map(|entry| entry.side).collect();
            let (messages, others) = tokio::try_join!(self.with_texts(user, entries), self.other_sides(&sides))?;
            let conversations = messages.into_iter().zip(others);
            Ok(conversations.filter_map(|(last, with)| Some(Conversation { with, last: last? })).collect())
        })
        .await
    }

    /// Some of a user's messages, as an export tells them. One round where a text is long.
    pub(super) async fn told_messages(&self, user: UserId, entries: Vec<MessageEntry>) -> Result<Vec<Value>, Refusal> {
        let users = entries.iter().filter_map(|entry| match entry.side {
            Side::User(id) => Some(id),
            _ => None,
        });
        let users: BTreeSet<_> = users.collect();
        let (messages, there) = tokio::try_join!(
            self.with_texts(user, entries),
            self.get_each_lately::<_, IgnoredAny>(users, keys::profile)
        )?;
        // Who has left is nobody.
        let shown = |side: Side| match side {
            Side::User(id) => (id == user || there.contains_key(&id)).then_some(side),
            side => Some(side),
        };
        let told = messages.into_iter().flatten().map(|Message { id, from, to, content }| {
            json!({"message_id": id, "created_at": id.made_at(), "from": shown(from), "to": shown(to),
                "content": content})
        });
        Ok(told.collect())
    }

    /// What entries say, `None` of those whose message went meanwhile. One round where a text is long.
    async fn with_texts(&self, reader: UserId, entries: Vec<MessageEntry>) -> Result<Vec<Option<Message>>, Refusal> {
        let long = entries.iter().filter(|entry| entry.content.is_none()).map(|entry| entry.message);
        let envelopes: HashMap<_, Envelope> = self.get_each_lately(long, keys::envelope).await?;
        let message = |mut entry: MessageEntry| {
            let content = entry.content.take().or_else(|| envelopes.get(&entry.message)?.content.clone())?;
            Some(entry.read_by(reader, content))
        };
        Ok(entries.into_iter().map(message).collect())
    }

    /// Who some sides are, in their order. One round; one more where somebody of many is gone.
    async fn other_sides(&self, sides: &[Side]) -> Result<Vec<OtherSide>, Refusal> {
        let (mut users, mut masters, mut merchants) = (vec![], vec![], vec![]);
        for side in sides {
            match *side {
                Side::User(id) => users.push(id),
                Side::Master(id) => masters.push(id),
                Side::Merchant(id) => merchants.push(id),
                Side::CustomerService => {}
            }
        }
        let (mut users, mut masters, mut merchants) = tokio::try_join!(
            self.heads(users, sides.len()),
            self.heads(masters, sides.len()),
            self.heads(merchants, sides.len()),
        )?;
        let who = |side: &Side| match *side {
            Side::User(id) => OtherSide::User(id, users.remove(&id).map(Box::new)),
            Side::Master(id) => OtherSide::Master(id, masters.remove(&id).map(Box::new)),
            Side::Merchant(id) => OtherSide::Merchant(id, merchants.remove(&id).map(Box::new)),
            Side::CustomerService => OtherSide::CustomerService,
        };
        Ok(sides.iter().map(who).collect())
    }

    /// Few are read surely, beside the session: whoever of them is not there is not asked for again.
    async fn heads<I: Copy + Eq + Hash + Into<Followee>, T: DeserializeOwned>(
        &self,
        ids: Vec<I>,
        among: usize,
    ) -> Result<HashMap<I, T>, Refusal> {
        const FEW: usize = 3;
        let key = |id: I| keys::followee_head(id.into());
        match among <= FEW {
            true => self.get_each(ids, key).await,
            false => self.get_each_lately(ids, key).await,
        }
    }

    /// Hides messages from a user alone; those that are gone are fine. 404 where one is between others: then none is
    /// hidden. Two rounds and a transaction for each conversation, of 45 messages at most.
    pub async fn delete_messages(&self, user: UserId, ids: &BTreeSet<MessageId>) -> Result<(), Refusal> {
        let envelopes: HashMap<_, Envelope> = self.get_each_lately(ids.iter().copied(), keys::envelope).await?;
        let mut by_side: BTreeMap<Side, Vec<MessageId>> = BTreeMap::new();
        for (id, envelope) in envelopes {
            by_side.entry(envelope.other_side(user).ok_or(NO_MESSAGE)?).or_default().push(id);
        }
        let by_side: Vec<_> = by_side.into_iter().collect();
        for some in by_side.chunks(CONVERSATIONS_AT_ONCE) {
            let conversations = some.iter().map(async |(side, ids)| {
                for ids in ids.chunks(DELETED_AT_ONCE) {
                    self.transact(|_| self.deletions(user, *side, ids)).await?;
                }
                Ok::<_, Refusal>(())
            });
            try_join_all(conversations).await?;
        }
        Ok(())
    }

    /// What hides messages of one conversation. One round.
    async fn deletions(&self, user: UserId, side: Side, ids: &[MessageId]) -> Result<(Vec<Action>, ()), Refusal> {
        // If all of them are the newest, the one behind them is left.
        let (list, first) = (keys::conversation(side), Page::first(ids.len() + 1));
        let entries = self.newest::<MessageEntry>(keys::user(user), &list, first);
        let envelopes = self.get_each::<_, Envelope>(ids.iter().copied(), keys::envelope);
        let (entries, mut envelopes) = tokio::try_join!(entries, envelopes)?;
        envelopes.retain(|_, envelope| envelope.deleted_by != Some(user));
        if envelopes.is_empty() {
            return Ok((vec![], ()));
        }
        let mut actions = vec![];
        for (id, envelope) in &envelopes {
            let is_others_too = matches!(side, Side::User(_)) && envelope.deleted_by.is_none();
            actions.push(match is_others_too {
                true => Action::update(keys::envelope(*id), "SET deleted_by = :user")
                    .when("attribute_exists(pk) AND attribute_not_exists(deleted_by)")
                    .with(":user", number(user.0))
                    .or_again(),
                false => Action::delete_there(keys::envelope(*id)).or_again(),
            });
            actions.push(Action::delete(keys::message(user, side, *id)));
        }
        let left = entries.iter().find(|entry| !envelopes.contains_key(&entry.message));
        if let Some(newest) = entries.first() {
            let last = keys::last_message(user, newest.message);
            match left {
                Some(left) if left.message == newest.message => actions.push(still_there(last)),
                Some(left) => actions.extend([
                    Action::delete_there(last).or_again(),
                    Action::put(keys::last_message(user, left.message), left),
                    still_there(keys::message(user, side, left.message)),
                ]),
                None => actions.extend([Action::delete_there(last).or_again(), Action::delete(keys::talk(user, side))]),
            }
        }
        Ok((actions, ()))
    }
}

fn still_there(key: Key) -> Action {
    Action::check(key).when(THERE).or_again()
}

impl OperatorsMessage {
    fn hash(&self) -> String {
        hex(digest::digest(&digest::SHA256, self.content.as_bytes()).as_ref())
    }

    /// Whether it is what was said; 409 where it can no longer be.
    fn is_as(&self, said: &Said, withdrawn: bool) -> Result<bool, Refusal> {
        match (said.withdrawn, withdrawn) {
            (true, true) => Ok(true),
            (false, true) => Ok(false),
            _ if (said.to, &said.hash) != (self.to, &self.hash()) || !self.from.contains(&said.from) => {
                Err(Refusal::Conflict(words!(
                    "another message was sent under this id: what was said stays as it is; choose another id",
                    "此 id 下已发送过另一条消息：已发送的内容不会更改，请换一个 id"
                )))
            }
            (true, false) => Err(Refusal::Conflict(words!(
                "this message was taken back: send it under another id",
                "此消息已撤回，请用另一个 id 发送"
            ))),
            (false, false) => Ok(true),
        }
    }
}
