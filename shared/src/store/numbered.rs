//! A long list that is read by offset at flat cost.
//!
//! Each entry draws the next number and lies in the block of [`BLOCK`] numbers that it belongs to. Whatever is taken out
//! of the list counts a hole for its block, in the same transaction. So where an offset falls is arithmetic: one query
//! brings the top and the holes, one more round the blocks.
//!
//! Drawing never conflicts: one item takes about 1,000 draws a second, which is the ceiling of one list. A number that
//! was drawn and never used, because its function died, becomes a hole after a minute (see [`Store::settle`]).
//!
//! Invariants: a number below `settled` is an entry or counted as a hole; one from `settled` on that is not in its block
//! may still come. So what is taken out below leaves nothing behind, and from there on a [`Hole`], until `settled` has
//! passed it.
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    keys::{self, Key},
    table::{Action, Item, Outcome, Range, Store, THERE, number, read},
};
use crate::domain::{MINUTE, Millis, Page, Refusal};

/// Numbers in a block.
const BLOCK: u64 = 128;
/// Blocks whose holes one item counts.
const GROUP: u64 = 128;
/// Entries that are read beyond a page, for those whose numbers are drawn but which are not there yet.
const SLACK: usize = 4;
/// Blocks that are read side by side.
const AT_ONCE: usize = 32;
/// How long whoever drew a number may take to use it: longer than any function runs.
const GIVEN_UP: Millis = MINUTE;
/// Blocks that are settled at once.
const SETTLED_AT_ONCE: u64 = 8;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Top {
    /// Numbers that were drawn: the next one.
    drawn: u64,
    /// Every number below is used or a hole.
    pub settled: u64,
}

/// In the place of an entry that was taken out, or that never came. It does not end by itself: while `settled` has not
/// passed it, it alone tells that it is counted, however long nothing happens.
#[derive(Serialize)]
struct Hole {
    hole: bool,
    /// Given up, not taken out: whoever drew the number may wake from a long sleep, and must find it taken.
    given_up: bool,
}

/// An entry and its number.
#[derive(Clone)]
pub(super) struct Numbered<T> {
    pub number: u64,
    pub entry: T,
}

/// A list's top and its holes, as they were when a page was begun.
pub(super) struct Index {
    top: Top,
    holes: Holes,
}

/// A part of a block that a page wants.
struct Slice {
    block: u64,
    /// Its entries from this number on are not wanted.
    below: u64,
    /// Entries to pass over, counted from the end.
    skip: usize,
    /// Entries to read then; `None` where all of it is wanted, or where holes are among them.
    take: Option<usize>,
}

impl Store {
    /// The next number of a list.
    pub(super) async fn draw_number(&self, list: &str) -> Result<u64, Refusal> {
        match self.change(Action::add(keys::numbered_top(list), "drawn", 1)).await? {
            Outcome::Done(top) => Ok(read::<Top>(top)?.drawn.saturating_sub(1)),
            Outcome::Refused(_) => Err(Refusal::Internal),
        }
    }

    /// Puts an entry at its number, or means another try where that was given up.
    pub(super) fn number_action<T: Serialize>(&self, list: &str, number: u64, entry: &T) -> Action {
        Action::put_new(keys::numbered_entry(list, number / BLOCK, number), entry).or_again()
    }

    /// Takes entries out: an action for each, and one for each 16,384 numbers among which they are. `settled` is the
    /// list's of any earlier moment.
    pub(super) fn unnumber_actions(&self, list: &str, numbers: &[u64], settled: u64) -> Vec<Action> {
        let out = |number: &u64| {
            let key = keys::numbered_entry(list, number / BLOCK, *number);
            let out = match *number < settled {
                true => Action::delete_there(key),
                false => Action::put(key, &Hole { hole: true, given_up: false }).when(THERE),
            };
            out.or_look()
        };
        numbers.iter().map(out).chain(hole_actions(list, numbers)).collect()
    }

    /// Gives a drawn number up; whoever drew it can no longer use it. Nothing happens where it is used.
    async fn void_number(&self, list: &str, number: u64) -> Result<(), Refusal> {
        let hole = Hole { hole: true, given_up: true };
        let hole = Action::put_new(keys::numbered_entry(list, number / BLOCK, number), &hole).or_done();
        self.transact_once([hole].into_iter().chain(hole_actions(list, &[number])).collect()).await
    }

    /// What it takes to find a page: one query. `passed` is how many entries the page's end lies from the newest one.
    pub(super) async fn numbered_index(&self, list: &str, passed: usize) -> Result<Index, Refusal> {
        let groups = 1 + passed / (BLOCK * GROUP) as usize;
        // From the end of the partition: the top, then the newest groups of holes.
        let range = Range::new(keys::numbered(list), "").newest_first();
        let mut items = self.raw_items(range, Page::first(1 + 1 + groups)).await?.into_iter();
        let top = items.next().map(read::<Top>).transpose()?.unwrap_or_default();
        let mut holes = Holes::default();
        holes.add(items, 1 + groups);
        Ok(Index { top, holes })
    }

    /// Entries of a list, the newest first, and fewer than asked for only at its end; behind the number `after`, where one
    /// is given. One round, and more only where entries are missing.
    pub(super) async fn numbered_entries<T: DeserializeOwned>(
        &self,
        list: &str,
        index: &Index,
        after: Option<u64>,
        page: Page,
    ) -> Result<Vec<Numbered<T>>, Refusal> {
        let mut holes = Cow::Borrowed(&index.holes);
        let Page { offset: mut skip, limit: most } = page;
        let mut below = after.unwrap_or(index.top.drawn);
        let mut page = vec![];
        while below > 0 && page.len() < most {
            let mut slices = vec![];
            let mut missing = most - page.len() + SLACK;
            while below > 0 && missing > 0 && slices.len() < AT_ONCE {
                let block = (below - 1) / BLOCK;
                let first = block * BLOCK;
                if block / GROUP < holes.known_from {
                    self.older_holes(list, holes.to_mut()).await?;
                    continue;
                }
                let numbers = below - first;
                // Where the part that is left of a block was not counted, it is looked at.
                let is_counted = below == index.top.drawn || below.is_multiple_of(BLOCK);
                let hollow = holes.of(block).min(numbers);
                let live = if is_counted { numbers - hollow } else { numbers } as usize;
                if skip >= live {
                    skip -= live;
                } else {
                    let wanted = live - skip;
                    let take = (hollow == 0 && wanted > missing).then_some(missing);
                    slices.push(Slice { block, below, skip, take });
                    missing = missing.saturating_sub(wanted);
                    skip = 0;
                }
                below = first;
            }
            for (entries, rest) in try_join_all(slices.iter().map(|slice| self.slice(list, slice))).await? {
                page.extend(entries);
                // Only of the last one there is a rest.
                below = rest.unwrap_or(below);
            }
        }
        page.truncate(most);
        page.into_iter().map(|(number, item)| Ok(Numbered { number, entry: read(item)? })).collect()
    }

    /// A slice's entries with their numbers, and the lowest of these where there may be more below it.
    async fn slice(&self, list: &str, slice: &Slice) -> Result<(Vec<(u64, Item)>, Option<u64>), Refusal> {
        let Slice { block, below, skip, take } = *slice;
        let last = keys::numbered_entry(list, block, below - 1);
        let range = Range::new(last.pk, "").up_to(last.sk).newest_first();
        let most = take.map_or(BLOCK as usize, |take| skip + take);
        let items = self.raw_items(range, Page::first(most)).await?;
        let lowest = take.filter(|_| items.len() == most).and_then(|_| keys::number_of(items.last()?));
        let entries = items.into_iter().filter(|item| !item.contains_key("hole"));
        Ok((entries.skip(skip).filter_map(|item| Some((keys::number_of(&item)?, item))).collect(), lowest))
    }

    /// Rare: as many groups of holes again as are known.
    async fn older_holes(&self, list: &str, holes: &mut Holes) -> Result<(), Refusal> {
        let Key { pk, sk } = keys::numbered_holes(list, holes.known_from - 1);
        let most = 8 + 2 * holes.counts.len() / GROUP as usize;
        let range = Range::new(pk, "HOLES#").up_to(sk).newest_first();
        holes.add(self.raw_items(range, Page::first(most)).await?.into_iter(), most);
        Ok(())
    }

    /// Makes holes of numbers that were drawn long ago and never used, and clears away what was taken out below them.
    /// `made_at` tells an entry's age.
    pub(super) async fn settle<T: DeserializeOwned>(
        &self,
        list: &str,
        made_at: impl Fn(&T) -> Millis,
    ) -> Result<(), Refusal> {
        let Some(top) = self.get::<Top>(keys::numbered_top(list)).await? else {
            return Ok(());
        };
        let (first, last) = (top.settled / BLOCK, top.drawn.div_ceil(BLOCK));
        let blocks = (first..last.min(first + SETTLED_AT_ONCE)).map(|block| {
            self.raw_items(Range::new(keys::numbered_block(list, block), ""), Page::first(BLOCK as usize))
        });
        let (mut used, mut taken_out) = (BTreeSet::new(), vec![]);
        // What is missing below an old entry will not come any more.
        let mut given_up = 0;
        for item in try_join_all(blocks).await?.into_iter().flatten() {
            let Some(at) = keys::number_of(&item) else {
                continue;
            };
            used.insert(at);
            if item.contains_key("hole") {
                if item.get("given_up") == Some(&AttributeValue::Bool(false)) {
                    taken_out.push(at);
                }
            } else if made_at(&read::<T>(item)?) + GIVEN_UP < self.system.now() {
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
            let update = Action::update(keys::numbered_top(list), "SET settled = :settled")
                .when("attribute_not_exists(settled) OR settled < :settled")
                .with(":settled", number(settled));
            self.change(update).await?;
        }
        taken_out.retain(|at| *at < settled);
        self.delete_all(taken_out.into_iter().map(|at| keys::numbered_entry(list, at / BLOCK, at))).await
    }
}

/// Counts holes for the blocks of these numbers.
fn hole_actions(list: &str, of: &[u64]) -> Vec<Action> {
    let mut groups: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
    for number in of {
        let block = number / BLOCK;
        *groups.entry(block / GROUP).or_default().entry(block % GROUP).or_default() += 1;
    }
    let action = |(group, blocks): (u64, BTreeMap<u64, u64>)| {
        let adds: Vec<_> = blocks.keys().map(|block| format!("h{block} :h{block}")).collect();
        let holes = blocks.iter().map(|(block, holes)| (format!(":h{block}"), number(holes))).collect();
        Action::update(keys::numbered_holes(list, group), format!("ADD {}", adds.join(", "))).with_all(holes)
    };
    groups.into_iter().map(action).collect()
}

/// How many holes each block has, of those that are known.
#[derive(Clone, Default)]
struct Holes {
    counts: HashMap<u64, u64>,
    /// The lowest group that is known.
    known_from: u64,
}

impl Holes {
    /// Adds groups, the newest first, of which so many were asked for.
    fn add(&mut self, groups: impl Iterator<Item = Item>, asked_for: usize) {
        let mut found = 0;
        self.known_from = u64::MAX;
        for item in groups {
            found += 1;
            let Some(group) = keys::group_of(&item) else {
                continue;
            };
            self.known_from = group;
            for (name, value) in &item {
                let block = name.strip_prefix('h').and_then(|block| block.parse::<u64>().ok());
                if let (Some(block), AttributeValue::N(holes)) = (block, value) {
                    self.counts.insert(group * GROUP + block, holes.parse().unwrap_or(0));
                }
            }
        }
        if found < asked_for {
            self.known_from = 0;
        }
    }

    fn of(&self, block: u64) -> u64 {
        self.counts.get(&block).copied().unwrap_or(0)
    }
}
