//! Reads of many items of one partition, in the order of their keys.
use std::future::Future;

use serde::de::DeserializeOwned;

use super::{Item, Store, broken, read, text};
use crate::{
    domain::{Page, Refusal},
    store::keys::Key,
};

/// Entries that are gone and that one request passes over at most, beside its page.
const MOST_PASSED: usize = 1_000;
/// Entries that are read at a time in the place of those that are gone.
const REFILL: usize = 100;

/// Part of a partition.
#[derive(Clone)]
pub struct Range {
    pk: String,
    /// The first and the last sort key that belong to it.
    from: String,
    to: String,
    newest_first: bool,
    /// As it was a moment ago, at half the cost.
    light: bool,
    /// The key of the item to go on after.
    after: Option<Key>,
}

impl Range {
    /// The items whose sort key begins with `prefix`.
    pub fn new(pk: String, prefix: &str) -> Self {
        // Keys are made of what lies between these two.
        Self {
            pk,
            from: format!("{prefix}!"),
            to: format!("{prefix}~"),
            newest_first: false,
            light: false,
            after: None,
        }
    }

    /// From one key to another of the same partition, both included.
    pub fn between(from: Key, to: Key) -> Self {
        Self { pk: from.pk, from: from.sk, to: to.sk, newest_first: false, light: false, after: None }
    }

    pub fn newest_first(self) -> Self {
        Self { newest_first: true, ..self }
    }

    /// Perhaps as it was a moment ago, at half the cost.
    pub fn lately(self) -> Self {
        Self { light: true, ..self }
    }

    /// None of those whose sort key is smaller.
    pub fn from(self, from: String) -> Self {
        Self { from, ..self }
    }

    /// None of those whose sort key is larger.
    pub fn up_to(self, to: String) -> Self {
        Self { to, ..self }
    }

    /// Only those behind this one, in the range's order.
    pub fn after(self, after: Option<Key>) -> Self {
        Self { after, ..self }
    }
}

impl Store {
    /// Items of a range, as they are now, or lately. One query, and more only where a megabyte does not
    /// hold them. Costs what it passes over, too.
    pub async fn items<T: DeserializeOwned>(&self, range: Range, page: Page) -> Result<Vec<T>, Refusal> {
        self.raw_items(range, page).await?.into_iter().map(read).collect()
    }

    /// The same, as the table has them.
    pub async fn raw_items(&self, range: Range, page: Page) -> Result<Vec<Item>, Refusal> {
        let Page { offset: mut skip, limit: most } = page;
        if most == 0 {
            return Ok(vec![]);
        }
        let mut after = range.after.map(Item::from);
        let request = self.client.query().table_name(&self.table).consistent_read(!range.light);
        let request = request
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(range.pk))
            .expression_attribute_values(":from", text(range.from))
            .expression_attribute_values(":to", text(range.to))
            .scan_index_forward(!range.newest_first);
        let mut items = vec![];
        // A page ends at 1 MB; what is passed over is not kept.
        loop {
            let left = i32::try_from((most - items.len()).saturating_add(skip)).unwrap_or(i32::MAX);
            let request = request.clone().limit(left).set_exclusive_start_key(after).send();
            // Boxed, as all calls of the SDK: their futures are large, and lie in all that lead to them.
            let page = Box::pin(request).await.map_err(broken)?;
            let found = page.items.unwrap_or_default();
            let passed = skip.min(found.len());
            skip -= passed;
            items.extend(found.into_iter().skip(passed));
            after = page.last_evaluated_key;
            if after.is_none() || items.len() >= most {
                return Ok(items);
            }
        }
    }

    /// A page of a list that is ordered by time, the newest first.
    pub async fn newest<T: DeserializeOwned>(&self, pk: String, prefix: &str, page: Page) -> Result<Vec<T>, Refusal> {
        self.items(Range::new(pk, prefix).newest_first(), page).await
    }
}

/// A page, filled up past what is gone. `next` brings a part of the list, behind the last entry that it brought where it
/// is told one, and less than asked for only at the list's end; `show` makes of them what is there. Ends short of a full page only where it
/// has passed over 1,000 that are gone.
pub async fn full_page<E: Clone, S, N, P>(
    page: Page,
    next: impl Fn(Page, Option<E>) -> N,
    show: impl Fn(Vec<E>) -> P,
) -> Result<Vec<S>, Refusal>
where
    N: Future<Output = Result<Vec<E>, Refusal>>,
    P: Future<Output = Result<Vec<S>, Refusal>>,
{
    let (mut part, mut passed, mut last, mut shown) = (page, 0, None, vec![]);
    loop {
        let entries = next(part, last).await?;
        let is_end = entries.len() < part.limit;
        passed += entries.len();
        last = entries.last().cloned();
        if !entries.is_empty() {
            shown.extend(show(entries).await?);
        }
        if is_end || shown.len() >= page.limit || passed >= page.limit + MOST_PASSED {
            shown.truncate(page.limit);
            return Ok(shown);
        }
        part = Page::first(REFILL);
    }
}
