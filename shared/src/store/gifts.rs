//! Gifts and VIP time, as operators enter them: each under an id of theirs, and once.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    keys,
    table::{Action, Item, Range, Store, THERE, number, read},
    users::Profile,
};
use crate::{
    domain::{DAY, Page, Refusal, Thing, UserId},
    words,
};

const NO_USER: Refusal = Refusal::NoSuch(Thing::User);
const ENTERED_OTHERWISE: Refusal = Refusal::Conflict(words!(
    "this id was entered with other values: choose another",
    "此 id 已用于其他内容，请换一个"
));

/// Givers of one user that are looked at, and of these the ones that are shown.
const LOOKED_AT: usize = 1000;
const SHOWN: usize = 100;

/// What the attributes begin with that count gifts by code.
const OF_CODE: &str = "code#";

/// A gift from one user to another.
pub struct Gift<'a> {
    pub id: &'a str,
    pub to: UserId,
    pub from: UserId,
    /// What is given.
    pub code: &'a str,
    pub count: u64,
    /// What it adds to the profit, in fen.
    pub value: u64,
}

/// Somebody, and what they gave: how many of each code.
pub struct Giver {
    pub user: Profile,
    pub gifts: BTreeMap<String, u64>,
}

/// All that one user gave another. Beside these an attribute for each code, so that two gifts at once both count.
#[derive(Deserialize)]
pub(super) struct Given {
    pub giver: UserId,
    pub worth: u64,
}

/// That a user gave somebody something.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct GaveEntry {
    pub to: UserId,
}

/// What was entered as a gift.
#[derive(PartialEq, Serialize, Deserialize)]
struct EnteredGift {
    to: UserId,
    from: UserId,
    code: String,
    count: u64,
    value: u64,
}

/// What was entered as VIP time.
#[derive(PartialEq, Serialize, Deserialize)]
struct EnteredGrant {
    user: UserId,
    days: u32,
}

impl Store {
    /// Gives a gift, unless it was given under this id; says whether it did. 409 where another one was, 404 where giver
    /// or taker is nobody. A read and a transaction.
    pub async fn give_gift(&self, gift: &Gift<'_>) -> Result<bool, Refusal> {
        let Gift { id, to, from, code, count, value } = *gift;
        let entry = &EnteredGift { to, from, code: code.to_owned(), count, value };
        if self.is_entered(keys::gift_entered(id), entry).await? {
            return Ok(false);
        }
        let build = |entered: Option<Item>| async move {
            if is_same(entered, entry)? {
                return Ok((vec![], false));
            }
            let mut actions = vec![
                Action::put_new(keys::gift_entered(id), entry).or_look(),
                Action::update(keys::profile(to), "ADD profit :value")
                    .when(THERE)
                    .with(":value", number(value))
                    .or_refuse(NO_USER),
                Action::update(keys::gift(to, from), "SET giver = :giver ADD #code :count, worth :value")
                    .naming("#code", format!("{OF_CODE}{code}"))
                    .with(":giver", number(from.0))
                    .with(":count", number(count))
                    .with(":value", number(value)),
                Action::put(keys::gave(from, to), &GaveEntry { to }),
            ];
            if from != to {
                actions.push(Action::check(keys::profile(from)).when(THERE).or_refuse(NO_USER));
            }
            Ok((actions, true))
        };
        self.transact(build).await
    }

    /// Makes a user a VIP for so many days more, unless a grant under this id did; says whether it did. 409 where the
    /// grant was another. Two reads and a transaction.
    pub async fn grant_vip(&self, id: &str, user: UserId, days: u32) -> Result<bool, Refusal> {
        let entry = &EnteredGrant { user, days };
        if self.is_entered(keys::vip_granted(id), entry).await? {
            return Ok(false);
        }
        let build = |entered: Option<Item>| async move {
            if is_same(entered, entry)? {
                return Ok((vec![], false));
            }
            let old = self.profile(user).await?.ok_or(NO_USER)?.vip_until;
            let until = old.unwrap_or(0).max(self.system.now()) + u64::from(days) * DAY;
            let update = Action::update(keys::profile(user), "SET vip_until = :until").with(":until", number(until));
            let unchanged = match old {
                Some(old) => update.when("vip_until = :old").with(":old", number(old)),
                None => update.when("attribute_exists(pk) AND attribute_not_exists(vip_until)"),
            };
            // Another grant may have been there first.
            Ok((vec![Action::put_new(keys::vip_granted(id), entry).or_look(), unchanged.or_again()], true))
        };
        self.transact(build).await
    }

    /// A transaction that finds so costs as much as one that writes: a repeated import looks first.
    async fn is_entered<T: PartialEq + DeserializeOwned>(&self, key: keys::Key, entry: &T) -> Result<bool, Refusal> {
        is_same(self.get_raw(key).await?, entry)
    }

    /// Those who gave a user most, with their gifts: 100 at most, of the 1,000 who joined last. Two rounds.
    pub async fn gifts_of(&self, viewer: UserId, to: UserId) -> Result<Vec<Giver>, Refusal> {
        let items =
            self.raw_items(Range::new(keys::user(to), keys::GIFT).newest_first(), Page::first(LOOKED_AT)).await?;
        let with_counts = |item: Item| Ok((counts(&item), read::<Given>(item)?));
        let mut given = items.into_iter().map(with_counts).collect::<Result<Vec<_>, Refusal>>()?;
        given.sort_by_key(|(_, given)| std::cmp::Reverse(given.worth));
        given.truncate(SHOWN);
        let mut users = self.profiles(viewer, given.iter().map(|(_, given)| given.giver)).await?;
        let giver = |(gifts, Given { giver, .. })| Some(Giver { user: users.remove(&giver)?, gifts });
        Ok(given.into_iter().filter_map(giver).collect())
    }
}

/// Whether this was entered, or nothing yet; 409 where something else was.
fn is_same<T: PartialEq + DeserializeOwned>(entered: Option<Item>, entry: &T) -> Result<bool, Refusal> {
    match entered.map(read::<T>).transpose()? {
        None => Ok(false),
        Some(entered) if entered == *entry => Ok(true),
        Some(_) => Err(ENTERED_OTHERWISE),
    }
}

/// How many of each code.
pub(super) fn counts(item: &Item) -> BTreeMap<String, u64> {
    let counted = item.iter().filter_map(|(name, value)| {
        let count = value.as_n().ok()?.parse().ok()?;
        Some((name.strip_prefix(OF_CODE)?.to_owned(), count))
    });
    counted.collect()
}
