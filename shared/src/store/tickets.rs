//! Tickets: single items, made in batches of one record, which says what they are.
//!
//! A ticket that is not sold stands in its project's list of open ones, with the order that holds it for a while; what
//! it is, the batch says, so that a changed record is one write. Who buys it takes it out of the list: sold ones cost
//! a list nothing.
use std::collections::{BTreeSet, HashMap};

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::{
    contents::{Content, Imported, Record, Standing},
    feeds::FeedReader,
    follows::Seen,
    keys::{self, Feed, Key},
    masters::{Master, Project},
    table::{Action, Range, Store, THERE, number, read},
    ticket_circle::Places,
};
use crate::{
    domain::{MasterId, MediaId, Millis, OrderId, Page, ProjectId, Refusal, Thing, TicketId, UserId},
    words,
};

/// Tickets that are made in one transaction, each of two items.
const MADE_AT_ONCE: u64 = 45;
/// Of a batch with no more tickets, each is read by its key; of a larger one the open ones by a query.
const FEW: u64 = 4;

/// Tickets that came as one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketBatch {
    /// The first one's; the others follow.
    pub ticket_id: TicketId,
    pub count: u64,
    pub project_id: ProjectId,
    /// Of the project's.
    pub master_id: MasterId,
    pub name: String,
    pub image: MediaId,
    pub intro: String,
    /// In fen.
    pub price: u64,
}

/// A ticket with what its batch says.
#[derive(Clone)]
pub struct TicketView {
    pub ticket_id: TicketId,
    pub batch: Content<TicketBatch>,
}

/// A ticket itself.
#[derive(Serialize, Deserialize)]
pub(super) struct Ticket {
    pub batch: TicketId,
    pub project: ProjectId,
    /// Of its batch: with it, its place in the project's list is known.
    pub created_at: Millis,
    /// In the circle.
    pub places: Places,
}

/// In its project's list of open ones.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct OpenTicket {
    ticket: TicketId,
    batch: TicketId,
    /// Until when an order holds it, and which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_until: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<OrderId>,
}

impl OpenTicket {
    fn new(ticket: TicketId, batch: TicketId) -> Self {
        Self { ticket, batch, held_until: None, held_by: None }
    }

    fn can_be_bought(&self, now: Millis) -> bool {
        self.held_until.is_none_or(|until| until <= now)
    }
}

/// How far the making of a batch has come.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Progress {
    made: u64,
}

/// What an item of a project's partition counts: the project itself what was made, others what was sold.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectCounts {
    made: u64,
    sold: u64,
}

/// An entry of a master's own list of batches, and of the feeds of those who follow them.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct BatchEntry {
    batch: TicketId,
    count: u64,
    project: ProjectId,
    master: MasterId,
    created_at: Millis,
}

impl Record for TicketBatch {
    fn head(&self) -> Key {
        keys::ticket_batch(self.ticket_id)
    }

    fn places(&self, _: Millis) -> Vec<Key> {
        vec![]
    }

    fn entries(&self, created_at: Millis) -> Vec<(Key, impl Serialize)> {
        let entry = BatchEntry {
            batch: self.ticket_id,
            count: self.count,
            project: self.project_id,
            master: self.master_id,
            created_at,
        };
        let place = keys::content_place(created_at, self.ticket_id.0);
        vec![(keys::own_entry(Feed::Tickets, self.master_id.into(), &place), entry)]
    }
}

impl Store {
    /// Makes tickets as a record says, or changes what it says of them; `master_id` is the project's, whatever the record
    /// has. More may be made later, none taken back but by withdrawing all: 409. 404 where there is no such project, 409
    /// where an id is another batch's. A transaction for 45 tickets; a repeat goes on where one was broken off.
    pub async fn import_tickets(&self, record: &TicketBatch, withdrawn: bool) -> Result<Imported, Refusal> {
        let (batch, old, mut made) = self.look_at_batch(record).await?;
        if is_made(&batch, old.as_ref(), made, withdrawn) {
            return Ok(Imported::Unchanged);
        }
        if let Some(old) = old {
            if old.record.project_id != batch.project_id {
                return Err(Refusal::Conflict(words!("these tickets are another project's", "这些票属于另一个项目")));
            }
            if old.record.count > batch.count {
                return Err(Refusal::Conflict(words!(
                    "tickets that are there cannot be taken back: withdraw the record",
                    "已有的票不能减少：请撤下该记录"
                )));
            }
            // The tickets first: a repeat of what breaks off here finds the record as it was, and begins again.
            match withdrawn {
                _ if old.withdrawn == withdrawn => {}
                true => self.close_batch(&old, made).await?,
                false => self.reopen_batch(&old, made).await?,
            }
        }
        let (_, content) = self.import_content(&batch, withdrawn).await?;
        while made < batch.count {
            let end = batch.count.min(made + MADE_AT_ONCE);
            self.make_tickets(&content, made, end).await?;
            made = end;
        }
        Ok(Imported::Written)
    }

    /// Whether an import of this record would change nothing. One read.
    pub async fn are_tickets_made(&self, record: &TicketBatch, withdrawn: bool) -> Result<bool, Refusal> {
        let (batch, old, made) = self.look_at_batch(record).await?;
        Ok(is_made(&batch, old.as_ref(), made, withdrawn))
    }

    /// A batch as it is to be, as it is, and how many of its tickets are made. One read.
    async fn look_at_batch(
        &self,
        record: &TicketBatch,
    ) -> Result<(TicketBatch, Option<Content<TicketBatch>>, u64), Refusal> {
        let project = self.get::<Content<Project>>(keys::project(record.project_id));
        let (project, found) = tokio::try_join!(project, self.get_raw(record.head()))?;
        let master_id = project.ok_or(Refusal::NoSuch(Thing::Project))?.record.master_id;
        let batch = TicketBatch { master_id, ..record.clone() };
        let Some(found) = found else { return Ok((batch, None, 0)) };
        let Progress { made } = read(found.clone())?;
        Ok((batch, Some(read(found)?), made))
    }

    /// Makes those of a batch from one number to another, unless a parallel import has.
    async fn make_tickets(&self, batch: &Content<TicketBatch>, from: u64, to: u64) -> Result<(), Refusal> {
        let TicketBatch { ticket_id: first, project_id: project, .. } = batch.record;
        let mut actions = vec![
            Action::update(keys::ticket_batch(first), "SET made = :to")
                .when("made = :from OR (attribute_not_exists(made) AND :from = :zero)")
                .with(":from", number(from))
                .with(":to", number(to))
                .with(":zero", number(0))
                .or_done(),
            Action::add(keys::project(project), "made", (to - from) as i64).when(THERE),
        ];
        let taken = Refusal::Conflict(words!("one of these ids is another record's", "其中有 id 属于另一条记录"));
        for number in from..to {
            let ticket = TicketId(first.0 + number);
            let head = Ticket { batch: first, project, created_at: batch.created_at, places: Places::new() };
            actions.push(Action::put_new(keys::head(ticket), &head).or_refuse(taken.clone()));
            let key = match batch.withdrawn {
                false => keys::open_ticket(project, batch.created_at, ticket),
                true => keys::closed_ticket(project, batch.created_at, ticket),
            };
            actions.push(Action::put(key, &OpenTicket::new(ticket, first)));
        }
        self.transact_once(actions).await
    }

    /// Takes a batch's tickets out of the project's list, but for those that an order holds: they can still be paid, and
    /// are shown and ordered no more than the others, for that is what their record says.
    async fn close_batch(&self, batch: &Content<TicketBatch>, made: u64) -> Result<(), Refusal> {
        let TicketBatch { ticket_id: first, project_id: project, .. } = batch.record;
        let (open, closed) = (
            |ticket| keys::open_ticket(project, batch.created_at, ticket),
            |ticket| keys::closed_ticket(project, batch.created_at, ticket),
        );
        self.move_tickets(first, made, open, closed).await
    }

    /// Puts those that were taken out back into the list; what is sold or held stays as it is.
    async fn reopen_batch(&self, batch: &Content<TicketBatch>, made: u64) -> Result<(), Refusal> {
        let TicketBatch { ticket_id: first, project_id: project, .. } = batch.record;
        let (open, closed) = (
            |ticket| keys::open_ticket(project, batch.created_at, ticket),
            |ticket| keys::closed_ticket(project, batch.created_at, ticket),
        );
        self.move_tickets(first, made, closed, open).await
    }

    /// Moves a batch's tickets that nobody holds from one list to another. A query, and a transaction for 45.
    async fn move_tickets(
        &self,
        first: TicketId,
        made: u64,
        from: impl Fn(TicketId) -> Key,
        to: impl Fn(TicketId) -> Key,
    ) -> Result<(), Refusal> {
        if made == 0 {
            return Ok(());
        }
        let (mut after, end) = (None, TicketId(first.0 + made - 1));
        loop {
            let range = Range::between(from(first), from(end)).after(after.take());
            let some: Vec<OpenTicket> = self.items(range, Page::first(MADE_AT_ONCE as usize)).await?;
            let now = self.system.now();
            let free = some.iter().filter(|ticket| ticket.can_be_bought(now));
            let moves = free.flat_map(|ticket| {
                let gone = Action::delete(from(ticket.ticket))
                    .when("attribute_exists(pk) AND (attribute_not_exists(held_until) OR held_until <= :now)")
                    .with(":now", number(now));
                let put = Action::put(to(ticket.ticket), &OpenTicket::new(ticket.ticket, ticket.batch));
                // Somebody holds one since it was looked at, or another import moved it.
                [gone.or_refuse(Refusal::Unavailable), put]
            });
            self.transact_once(moves.collect()).await?;
            match some.last() {
                Some(last) if some.len() == MADE_AT_ONCE as usize => after = Some(from(last.ticket)),
                _ => return Ok(()),
            }
        }
    }

    /// A ticket, sold or not, and how many of its project are not sold; 404 where there is none, or its record or its
    /// project is withdrawn. Two rounds.
    pub async fn ticket(&self, id: TicketId) -> Result<(TicketView, u64), Refusal> {
        let none = Refusal::NoSuch(Thing::Ticket);
        let ticket: Ticket = self.get(keys::head(id)).await?.ok_or(none.clone())?;
        let (mut batches, unsold) = tokio::try_join!(
            self.shown_batches([(ticket.batch, ticket.project)].into_iter()),
            self.unsold_tickets(ticket.project),
        )?;
        let batch = batches.remove(&ticket.batch).ok_or(none)?;
        Ok((TicketView { ticket_id: id, batch }, unsold))
    }

    /// How many of a project's tickets are not sold, those held by an order included. One query.
    pub async fn unsold_tickets(&self, of: ProjectId) -> Result<u64, Refusal> {
        let parts = Page::first(1 + keys::PARTS as usize);
        let counts: Vec<ProjectCounts> = self.items(Range::new(keys::project(of).pk, ""), parts).await?;
        let (made, sold) = counts.iter().fold((0, 0), |(made, sold), counts| (made + counts.made, sold + counts.sold));
        // A query is not of one moment: what was made and sold since it read the first item is in the others alone.
        Ok(made.saturating_sub(sold))
    }

    /// A page of a project's tickets that can be bought, the newest first; 404 where there is no such project, or it is
    /// withdrawn. Two rounds; costs what the offset and what is held pass over.
    pub async fn open_tickets(&self, of: ProjectId, page: Page) -> Result<Vec<TicketView>, Refusal> {
        let range = Range::new(keys::open_tickets(of), "").newest_first();
        let (_, mut open) = tokio::try_join!(
            self.shown_content::<Project>(keys::project(of), Thing::Project),
            self.tickets_to_buy(range, page.end()),
        )?;
        open.drain(..page.offset.min(open.len()));
        self.ticket_views(open.into_iter().map(|open| (open.ticket, open.batch)).collect()).await
    }

    /// The first tickets of a range that nobody holds. One query where few are held; passes over 10,000 at most.
    async fn tickets_to_buy(&self, range: Range, most: usize) -> Result<Vec<OpenTicket>, Refusal> {
        /// In a rush the newest are held by the thousand: these come by larger parts than what is deleted elsewhere.
        const REFILL: usize = 2_000;
        const MOST_PASSED: usize = 10_000;
        let now = self.system.now();
        let (mut part, mut passed, mut after, mut open) = (most, 0, None, vec![]);
        loop {
            let items = self.raw_items(range.clone().after(after.take()), Page::first(part)).await?;
            let is_end = items.len() < part;
            passed += items.len();
            after = items.last().and_then(Key::of);
            let some = items.into_iter().map(read).collect::<Result<Vec<OpenTicket>, _>>()?;
            open.extend(some.into_iter().filter(|ticket| ticket.can_be_bought(now)));
            if is_end || open.len() >= most || passed >= most + MOST_PASSED {
                open.truncate(most);
                return Ok(open);
            }
            part = REFILL;
        }
    }

    /// Tickets with what their batches say, those of withdrawn ones left out. One round.
    async fn ticket_views(&self, tickets: Vec<(TicketId, TicketId)>) -> Result<Vec<TicketView>, Refusal> {
        let batches = self.batches_of(tickets.iter().map(|(_, batch)| *batch)).await?;
        let view = |(ticket_id, batch)| {
            let batch = batches.get(&batch).filter(|batch: &&Content<TicketBatch>| !batch.withdrawn)?;
            Some(TicketView { ticket_id, batch: batch.clone() })
        };
        Ok(tickets.into_iter().filter_map(view).collect())
    }

    /// What is said of tickets by their batches, perhaps as it was a moment ago. One round.
    pub(super) async fn batches_of(
        &self,
        batches: impl Iterator<Item = TicketId>,
    ) -> Result<HashMap<TicketId, Content<TicketBatch>>, Refusal> {
        self.get_each_lately(batches.collect::<BTreeSet<_>>(), keys::ticket_batch).await
    }

    /// The same, but for those that are withdrawn, by their own records or with their projects. One round.
    pub(super) async fn shown_batches(
        &self,
        batches: impl Iterator<Item = (TicketId, ProjectId)>,
    ) -> Result<HashMap<TicketId, Content<TicketBatch>>, Refusal> {
        let (batches, projects): (Vec<_>, BTreeSet<_>) = batches.unzip();
        let (mut batches, projects) = tokio::try_join!(
            self.batches_of(batches.into_iter()),
            self.get_each_lately::<_, Standing>(projects, keys::project),
        )?;
        let stands = |project: &ProjectId| projects.get(project).is_some_and(|project| !project.withdrawn);
        batches.retain(|_, batch| !batch.withdrawn && stands(&batch.record.project_id));
        Ok(batches)
    }

    /// A page of the tickets that can be bought of those masters whom the viewer follows, the newest batch first, with
    /// their masters; of the newest 1,000 batches. Two rounds, and more where it passes over tickets that were sold.
    pub async fn followed_tickets(
        &self,
        viewer: UserId,
        page: Page,
    ) -> Result<Vec<(TicketView, Seen<Master>)>, Refusal> {
        const BATCHES: usize = 100;
        const MOST_BATCHES: usize = 1_000;
        let reader = &self.read_feed(Feed::Tickets, viewer);
        let Page { offset: mut skip, limit } = page;
        let (mut page, mut after, mut passed) = (vec![], None, 0);
        while page.len() < limit && passed < MOST_BATCHES {
            let entries: Vec<BatchEntry> = reader.part(Page::first(BATCHES), after.take()).await?;
            passed += entries.len();
            after = entries.last().map(|last| keys::content_place(last.created_at, last.batch.0));
            let is_end = entries.len() < BATCHES;
            page.extend(self.open_of_batches(reader, &entries, &mut skip, limit - page.len()).await?);
            if is_end {
                break;
            }
        }
        Ok(page)
    }

    /// The open tickets of some batches whose masters the viewer follows: `most`, behind `skip` others. One round, and
    /// more where tickets were sold or there are many batches.
    async fn open_of_batches(
        &self,
        reader: &FeedReader<'_>,
        entries: &[BatchEntry],
        skip: &mut usize,
        most: usize,
    ) -> Result<Vec<(TicketView, Seen<Master>)>, Refusal> {
        /// Batches that are queried side by side.
        const QUERIES: usize = 16;
        let mut page = vec![];
        let mut left = entries;
        while page.len() < most && !left.is_empty() {
            // As many batches as hold what is wanted, were none of it sold: the others cost nothing.
            let wanted = *skip + most - page.len();
            let (mut held, mut queries) = (0, 0);
            let enough = left.iter().position(|entry| {
                held += entry.count as usize;
                queries += usize::from(entry.count > FEW);
                held >= wanted || queries == QUERIES
            });
            let (some, rest) = left.split_at(enough.map_or(left.len(), |last| last + 1));
            let masters = some.iter().map(|entry| entry.master.into()).collect();
            let (batches, masters, open) = tokio::try_join!(
                self.shown_batches(some.iter().map(|entry| (entry.batch, entry.project))),
                reader.followed_makers(masters),
                try_join_all(some.iter().map(|entry| self.open_of(entry, wanted))),
            )?;
            for (entry, open) in some.iter().zip(open) {
                let (batch, master) = (batches.get(&entry.batch), masters.get(&entry.master.into()));
                let (Some(batch), Some(master)) = (batch, master) else { continue };
                let passed = (*skip).min(open.len());
                *skip -= passed;
                let view = |ticket_id| (TicketView { ticket_id, batch: batch.clone() }, master.clone());
                page.extend(open.into_iter().skip(passed).map(view));
            }
            left = rest;
        }
        page.truncate(most);
        Ok(page)
    }

    /// A batch's open tickets, the last one first, `most` at most.
    async fn open_of(&self, entry: &BatchEntry, most: usize) -> Result<Vec<TicketId>, Refusal> {
        let key = |ticket| keys::open_ticket(entry.project, entry.created_at, ticket);
        let last = TicketId(entry.batch.0 + entry.count - 1);
        if entry.count <= FEW {
            let (ids, now) = ((entry.batch.0..=last.0).map(TicketId), self.system.now());
            let open = self.get_each::<_, OpenTicket>(ids, key).await?.into_iter();
            let mut open: Vec<_> = open.filter(|(_, open)| open.can_be_bought(now)).map(|(id, _)| id).collect();
            open.sort_by(|a, b| b.cmp(a));
            return Ok(open);
        }
        let range = Range::between(key(entry.batch), key(last)).newest_first();
        Ok(self.tickets_to_buy(range, most).await?.into_iter().map(|open| open.ticket).collect())
    }
}

fn is_made(batch: &TicketBatch, old: Option<&Content<TicketBatch>>, made: u64, withdrawn: bool) -> bool {
    made == batch.count && old.is_some_and(|old| old.is_as(batch, withdrawn))
}
