//! Gifts and VIP time, as operators enter them: each under an id of theirs, and once.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    keys,
    table::{Action, Item, Range, Store, THERE, number, read},
    users::Profile,
};
use crate::domain::{DAY, Page, Refusal, UserId};

const NO_USER: Refusal = Refusal::NoSuch("user");

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
struct Given {
    giver: UserId,
    worth: u64,
}

/// That a gift or a grant of this id was entered.
#[derive(Serialize, Deserialize)]
struct OperatorEntry {}

impl Store {
    /// Gives a gift, unless one of this id was given; says whether it did. 404 where giver or taker is nobody. A
    /// read and a transaction.
    pub async fn give_gift(&self, gift: &Gift<'_>) -> Result<bool, Refusal> {
        if self.is_entered(keys::gift_entered(gift.id)).await? {
            return Ok(false);
        }
        let build = |entered: Option<Item>| async move {
            if entered.is_some() {
                return Ok((vec![], false));
            }
            let mut actions = vec![
                Action::put_new(keys::gift_entered(gift.id), &OperatorEntry {}).or_look(),
                Action::update(keys::profile(gift.to), "ADD profit :value")
                    .when(THERE)
                    .with(":value", number(gift.value))
                    .or_refuse(NO_USER),
                Action::update(keys::gift(gift.to, gift.from), "SET giver = :giver ADD #code :count, worth :value")
                    .naming("#code", format!("{OF_CODE}{}", gift.code))
                    .with(":giver", number(gift.from.0))
                    .with(":count", number(gift.count))
                    .with(":value", number(gift.value)),
            ];
            if gift.from != gift.to {
                actions.push(Action::check(keys::profile(gift.from)).when(THERE).or_refuse(NO_USER));
            }
            Ok((actions, true))
        };
        self.transact(build).await
    }

    /// Makes a user a VIP for so many days more, unless a grant of this id did; says whether it did. Two
    /// reads and a transaction.
    pub async fn grant_vip(&self, id: &str, user: UserId, days: u32) -> Result<bool, Refusal> {
        if self.is_entered(keys::vip_granted(id)).await? {
            return Ok(false);
        }
        let build = |entered: Option<Item>| async move {
            if entered.is_some() {
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
            Ok((vec![Action::put_new(keys::vip_granted(id), &OperatorEntry {}).or_look(), unchanged.or_again()], true))
        };
        self.transact(build).await
    }

    /// A transaction that finds so costs as much as one that writes: a repeated import looks first.
    async fn is_entered(&self, key: keys::Key) -> Result<bool, Refusal> {
        Ok(self.get::<OperatorEntry>(key).await?.is_some())
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

/// How many of each code.
fn counts(item: &Item) -> BTreeMap<String, u64> {
    let counted = item.iter().filter_map(|(name, value)| {
        let count = value.as_n().ok()?.parse().ok()?;
        Some((name.strip_prefix(OF_CODE)?.to_owned(), count))
    });
    counted.collect()
}
