//! A long list that is read by offset at flat cost.
//!
//! Each entry draws the next number and lies in the block of [`BLOCK`] numbers that it belongs to. Whatever is taken out
//! of the list counts a hole for its block, in the same transaction. So where an offset falls is arithmetic: one query
//! brings the top and the holes, one more round the blocks.
//!
//! Drawing never conflicts: one item takes about 1,000 draws a second, which is the ceiling of one list. A number that
//! was drawn and never used, because its function died, becomes a hole after a minute (see [`Store::settle_numbers`]).
use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Item, NEW, Outcome, Part, Store, THERE, keys, number, read, values};
use crate::domain::{MINUTE, Millis, Refusal};

/// Numbers in a block.
const BLOCK: u64 = 128;
/// Blocks whose holes one item counts.
const GROUP: u64 = 128;
/// Entries that are read beyond a page, for those whose numbers are drawn but which are not there yet.
const SLACK: usize = 4;
/// Blocks that are read side by side.
const AT_ONCE: usize = 16;
/// How long whoever drew a number may take to use it: longer than any function runs.
const GIVEN_UP: Millis = MINUTE;
/// Blocks that are settled at once.
const SETTLED_AT_ONCE: u64 = 8;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Top {
    /// Numbers that were drawn: the next one.
    drawn: u64,
    /// Every number below is used or a hole.
    settled: u64,
}

/// In the place of an entry that was taken out, or that never came.
#[derive(Serialize)]
struct Hole {
    hole: bool,
}

const HOLE: Hole = Hole { hole: true };

/// A part of a block that a page wants.
struct Slice {
    block: u64,
    /// Entries to pass over, counted from the block's end, and to take then.
    skip: usize,
    take: usize,
    /// Without holes, as many entries are read as wanted; else the whole block.
    whole: bool,
}

impl Store {
    /// The next number of a list.
    pub(super) async fn draw_number(&self, list: &str) -> Result<u64, Refusal> {
        let update = self.update(keys::numbered_top(list), "ADD drawn :one");
        match self.change(update.set_expression_attribute_values(values([(":one", number(1))]))).await? {
            Outcome::Done(top) => Ok(read::<Top>(top)?.drawn.saturating_sub(1)),
            Outcome::Refused(_) => Err(Refusal::Internal),
        }
    }

    /// Puts an entry at its number.
    pub(super) fn number_action<T: Serialize>(
        &self,
        list: &str,
        number: u64,
        entry: &T,
    ) -> Result<TransactWriteItem, Refusal> {
        self.put_action(keys::numbered_entry(list, number / BLOCK, number), entry, NEW, None)
    }

    /// Takes entries out: an action for each, and one for each 16,384 numbers among which they are.
    pub(super) fn unnumber_actions(&self, list: &str, numbers: &[u64]) -> Result<Vec<TransactWriteItem>, Refusal> {
        // A hole must be told apart from a number that was never used.
        let hole =
            |number: &u64| self.put_action(keys::numbered_entry(list, number / BLOCK, *number), &HOLE, THERE, None);
        let mut actions = numbers.iter().map(hole).collect::<Result<Vec<_>, _>>()?;
        actions.extend(self.hole_actions(list, numbers)?);
        Ok(actions)
    }

    fn hole_actions(&self, list: &str, of: &[u64]) -> Result<Vec<TransactWriteItem>, Refusal> {
        let mut groups: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
        for number in of {
            let block = number / BLOCK;
            *groups.entry(block / GROUP).or_default().entry(block % GROUP).or_default() += 1;
        }
        let action = |(group, blocks): (u64, BTreeMap<u64, u64>)| {
            let adds: Vec<_> = blocks.keys().map(|block| format!("h{block} :h{block}")).collect();
            let holes = blocks.iter().map(|(block, holes)| (format!(":h{block}"), number(holes))).collect();
            self.update_action(keys::numbered_holes(list, group), format!("ADD {}", adds.join(", ")), "", Some(holes))
        };
        groups.into_iter().map(action).collect()
    }

    /// Gives a drawn number up; whoever drew it can no longer use it. Nothing happens where it is used.
    pub(super) async fn void_number(&self, list: &str, number: u64) -> Result<(), Refusal> {
        let mut actions = vec![self.number_action(list, number, &HOLE)?];
        actions.extend(self.hole_actions(list, &[number])?);
        self.transact(actions).await.map(drop)
    }

    /// A page of a list, the newest first. Two rounds, whatever the offset; more only where entries are missing.
    pub(super) async fn numbered_page<T: DeserializeOwned>(
        &self,
        list: &str,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<T>, Refusal> {
        let groups = 1 + (offset + limit) / (BLOCK * GROUP) as usize;
        // From the end of the partition: the top, then the newest groups of holes.
        let part = Part::new(keys::numbered(list), "").newest_first();
        let mut items = self.items(part, 0, 1 + 1 + groups).await?.into_iter();
        let Some(top) = items.next().map(read::<Top>).transpose()? else {
            return Ok(vec![]);
        };
        let (mut holes, mut lowest) = (Holes::default(), None);
        let mut known = 0;
        for item in items {
            lowest = holes.add(item);
            known += 1;
        }
        // Holes below the lowest group that was asked for are not known yet.
        let mut unknown_below = if known < 1 + groups { 0 } else { lowest.unwrap_or(0) };

        let (mut skip, mut page) = (offset, vec![]);
        let mut block = top.drawn.div_ceil(BLOCK);
        while block > 0 && page.len() < limit {
            let mut slices = vec![];
            let mut missing = limit - page.len() + SLACK;
            while block > 0 && missing > 0 {
                block -= 1;
                if block / GROUP < unknown_below {
                    // Rare: all at once.
                    let older = keys::numbered_holes(list, unknown_below - 1);
                    let part = Part::new(older.pk, "HOLES#").up_to(older.sk);
                    for item in self.items(part, 0, usize::MAX).await? {
                        holes.add(item);
                    }
                    unknown_below = 0;
                }
                let numbers = (top.drawn - block * BLOCK).min(BLOCK);
                let hollow = holes.of(block).min(numbers);
                let live = (numbers - hollow) as usize;
                if skip >= live {
                    skip -= live;
                    continue;
                }
                let take = missing.min(live - skip);
                slices.push(Slice { block, skip, take, whole: hollow > 0 });
                missing -= take;
                skip = 0;
            }
            // Where nearly all is holes, a page comes from many blocks: some at a time.
            for some in slices.chunks(AT_ONCE) {
                let parts = try_join_all(some.iter().map(|slice| self.slice(list, slice))).await?;
                page.extend(parts.into_iter().flatten());
            }
        }
        page.truncate(limit);
        page.into_iter().map(read).collect()
    }

    async fn slice(&self, list: &str, slice: &Slice) -> Result<Vec<Item>, Refusal> {
        let most = if slice.whole { BLOCK as usize } else { slice.skip + slice.take };
        let part = Part::new(keys::numbered_block(list, slice.block), "").newest_first();
        let items = self.items(part, 0, most).await?;
        let entries = items.into_iter().filter(|item| !item.contains_key("hole"));
        Ok(entries.skip(slice.skip).take(slice.take).collect())
    }

    /// Makes holes of numbers that were drawn long ago and never used. `made_at` tells an entry's age.
    pub(super) async fn settle<T: DeserializeOwned>(
        &self,
        list: &str,
        made_at: impl Fn(&T) -> Millis,
    ) -> Result<(), Refusal> {
        let Some(top) = self.get::<Top>(keys::numbered_top(list)).await? else {
            return Ok(());
        };
        let (first, last) = (top.settled / BLOCK, top.drawn.div_ceil(BLOCK));
        let blocks = (first..last.min(first + SETTLED_AT_ONCE))
            .map(|block| self.items(Part::new(keys::numbered_block(list, block), ""), 0, BLOCK as usize));
        let mut used = BTreeSet::new();
        // What is missing below an old entry will not come any more.
        let mut given_up = 0;
        for item in try_join_all(blocks).await?.into_iter().flatten() {
            let Some(at) = keys::number_of(&item) else {
                continue;
            };
            used.insert(at);
            if !item.contains_key("hole") && made_at(&read::<T>(item)?) + GIVEN_UP < self.world.now() {
                given_up = at;
            }
        }
        let mut settled = top.settled;
        while used.contains(&settled) || settled < given_up {
            if !used.contains(&settled) {
                self.void_number(list, settled).await?;
            }
            settled += 1;
        }
        if settled > top.settled {
            let update = self
                .update(keys::numbered_top(list), "SET settled = :settled")
                .condition_expression("attribute_not_exists(settled) OR settled < :settled")
                .set_expression_attribute_values(values([(":settled", number(settled))]));
            self.change(update).await?;
        }
        Ok(())
    }
}

/// How many holes each block has.
#[derive(Default)]
struct Holes(HashMap<u64, u64>);

impl Holes {
    /// Adds a group, and says which it is.
    fn add(&mut self, item: Item) -> Option<u64> {
        let group = keys::group_of(&item)?;
        for (name, value) in &item {
            let block = name.strip_prefix('h').and_then(|block| block.parse::<u64>().ok());
            if let (Some(block), AttributeValue::N(holes)) = (block, value) {
                self.0.insert(group * GROUP + block, holes.parse().unwrap_or(0));
            }
        }
        Some(group)
    }

    fn of(&self, block: u64) -> u64 {
        self.0.get(&block).copied().unwrap_or(0)
    }
}
