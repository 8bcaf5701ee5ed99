//! Gifts and VIP time, as operators enter them: each under an id of theirs, and once.
use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use super::{Item, NEW, Part, Profile, Refused, Store, THERE, TRIES, keys, number, read, unreadable, values};
use crate::domain::{DAY, Refusal, UserId};

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
#[derive(Serialize)]
struct Entered {}

impl Store {
    /// Gives a gift, unless one of this id was given; says whether it did. One transaction.
    pub async fn give_gift(&self, gift: &Gift<'_>) -> Result<bool, Refusal> {
        let mut actions = vec![
            self.put_action(keys::gift_entered(gift.id), &Entered {}, NEW, None)?,
            self.update_action(
                keys::profile(gift.to),
                "ADD profit :value",
                THERE,
                values([(":value", number(gift.value))]),
            )?,
            self.count_action(gift)?,
        ];
        if gift.from != gift.to {
            actions.push(self.check_action(keys::profile(gift.from), THERE, None)?);
        }
        match self.transact(actions).await? {
            Ok(()) => Ok(true),
            Err(Refused { at: 0, .. }) => Ok(false),
            Err(_) => Err(NO_USER),
        }
    }

    fn count_action(&self, gift: &Gift) -> Result<TransactWriteItem, Refusal> {
        let of = [(":giver", number(gift.from.0)), (":count", number(gift.count)), (":value", number(gift.value))];
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::gift(gift.to, gift.from).into()))
            .update_expression("SET giver = :giver ADD #code :count, worth :value")
            .expression_attribute_names("#code", format!("{OF_CODE}{}", gift.code))
            .set_expression_attribute_values(values(of));
        Ok(TransactWriteItem::builder().update(update.build().map_err(unreadable)?).build())
    }

    /// Makes a user a VIP for so many days more, unless a grant of this id did; says whether it did. A read and a
    /// transaction.
    pub async fn grant_vip(&self, id: &str, user: UserId, days: u32) -> Result<bool, Refusal> {
        for _ in 0..TRIES {
            let old = self.profile(user).await?.ok_or(NO_USER)?.vip_until;
            let until = old.unwrap_or(0).max(self.world.now()) + u64::from(days) * DAY;
            let mut of = Item::from([(":until".to_owned(), number(until))]);
            let unchanged = match old {
                Some(old) => {
                    of.insert(":old".into(), number(old));
                    "vip_until = :old"
                }
                None => "attribute_exists(pk) AND attribute_not_exists(vip_until)",
            };
            let actions = vec![
                self.put_action(keys::vip_granted(id), &Entered {}, NEW, None)?,
                self.update_action(keys::profile(user), "SET vip_until = :until", unchanged, Some(of))?,
            ];
            match self.transact(actions).await? {
                Ok(()) => return Ok(true),
                Err(Refused { at: 0, .. }) => return Ok(false),
                // Another grant was there first.
                Err(_) => {}
            }
        }
        Err(Refusal::Unavailable)
    }

    /// Those who gave a user most, with their gifts: 100 at most, of the 1,000 who joined last. Two rounds.
    pub async fn gifts_of(&self, to: UserId) -> Result<Vec<Giver>, Refusal> {
        let items = self.items(Part::new(keys::user(to), keys::GIFT).newest_first(), 0, LOOKED_AT).await?;
        let with_counts = |item: Item| Ok((counts(&item), read::<Given>(item)?));
        let mut given = items.into_iter().map(with_counts).collect::<Result<Vec<_>, Refusal>>()?;
        given.sort_by_key(|(_, given)| std::cmp::Reverse(given.worth));
        given.truncate(SHOWN);
        let mut users = self.profiles(given.iter().map(|(_, given)| given.giver)).await?;
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
