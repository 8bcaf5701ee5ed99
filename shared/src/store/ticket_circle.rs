//! The circle: tickets that have comments, the last commented first. A ticket has an entry there at the place of its last
//! comment that stands, and its head names the places that it has; whatever changes the one changes the other in the same
//! transaction.
//!
//! Nobody waits for the others who speak at the same ticket: who comes takes away the entries that they have seen. So
//! where several came at once there are entries of earlier comments beside the last one's, until the next one comes;
//! readers pass them over.
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    comments::{Comment, CommentView, LATER, Votes},
    keys,
    table::{Action, Range, SHOWN, Store, THERE, number},
    tickets::{Ticket, TicketView},
};
use crate::domain::{CommentId, Page, ProjectId, Refusal, TicketId, UserId};

/// Places that are left in one transaction: more than are ever left behind at once.
const MOST_LEFT: usize = 40;
/// Entries that are read at a time at most, and at least in the place of those that show nothing; and how many of these
/// one request passes over.
const PART: usize = 1_000;
const REFILL: usize = 100;
const MOST_PASSED: usize = 10_000;

/// A ticket's places in the circle, by how their names are spelt.
pub(super) type Places = BTreeMap<String, CommentId>;

fn name(place: CommentId) -> String {
    keys::circle(place).sk
}

#[derive(Serialize, Deserialize)]
struct Entry {
    ticket: TicketId,
    batch: TicketId,
    project: ProjectId,
    /// Its counts are those of when it came here.
    last: Comment,
}

fn entry(ticket: TicketId, head: &Ticket, last: Comment) -> Action {
    Action::put(keys::circle(last.id), &Entry { ticket, batch: head.batch, project: head.project, last })
}

/// What counts a new comment on a ticket and makes it the last.
pub(super) fn commented(id: TicketId, ticket: &Ticket, comment: &Comment) -> Vec<Action> {
    let left: Vec<_> = ticket.places.iter().take(MOST_LEFT).collect();
    let names: Vec<_> = (0..left.len()).map(|at| format!("places.#left{at}")).collect();
    let remove = if left.is_empty() { String::new() } else { format!(" REMOVE {}", names.join(", ")) };
    let set = "SET last_comment = :id, places.#place = :id";
    let head = Action::update(keys::head(id), format!("{set} ADD comment_count :one{remove}"))
        .when(format!("{SHOWN} AND {LATER}"))
        .with(":id", number(comment.id.0))
        .with(":one", number(1))
        .naming("#place", name(comment.id))
        .or_look();
    let naming =
        |head: Action, (at, (name, _)): (usize, &(&String, _))| head.naming(&format!("#left{at}"), (*name).clone());
    let head = left.iter().enumerate().fold(head, naming);
    let away = left.iter().map(|(_, place)| Action::delete(keys::circle(**place)));
    [head, entry(id, ticket, comment.clone())].into_iter().chain(away).collect()
}

impl Store {
    /// What counts a ticket's comment no more, and shows the one before it where it was the last. One round.
    pub(super) async fn uncommented(&self, id: TicketId, comment: CommentId) -> Result<Vec<Action>, Refusal> {
        let newest = self.newest::<Comment>(keys::subject(id.into()), keys::COMMENT, Page::first(2));
        let (ticket, newest) = tokio::try_join!(self.get::<Ticket>(keys::head(id)), newest)?;
        let ticket = ticket.ok_or(Refusal::Internal)?;
        let is_placed = ticket.places.contains_key(&name(comment));
        let less = |set: &str| {
            let head = Action::update(keys::head(id), format!("{set} ADD comment_count :less REMOVE places.#place"));
            let head = head.with(":less", number(-1)).naming("#place", name(comment));
            match is_placed {
                true => head.when(THERE),
                // It may have come to be the last since the head was read.
                false => head.when(format!("{THERE} AND attribute_not_exists(places.#place)")).or_again(),
            }
        };
        let stays = |other: &Comment| Action::check(keys::comment(id.into(), other.id)).when(THERE).or_again();
        let mut actions: Vec<_> = is_placed.then(|| Action::delete(keys::circle(comment))).into_iter().collect();
        let mut newest = newest.into_iter();
        match (newest.next(), newest.next()) {
            // One that stands is shown as long as it stands.
            (Some(last), _) if last.id != comment => actions.extend([less(""), stays(&last)]),
            (_, Some(before)) => {
                let head = less("SET places.#before = :before").with(":before", number(before.id.0));
                actions.extend([head.naming("#before", name(before.id)), stays(&before)]);
                actions.push(entry(id, &ticket, before));
            }
            _ => actions.push(less("")),
        }
        Ok(actions)
    }

    /// A page of the tickets that have comments, the last commented first, each with its last comment; those that are
    /// withdrawn are left out. Two rounds; costs what the offset and what is withdrawn pass over, 10,000 at most.
    pub async fn ticket_circle(&self, viewer: UserId, page: Page) -> Result<Vec<(TicketView, CommentView)>, Refusal> {
        let (mut seen, mut shown, mut passed, mut listed, mut after) = (HashSet::new(), vec![], 0, 0, None);
        loop {
            let part = if passed == 0 { page.end() } else { passed.max(REFILL) }.min(PART);
            let range = Range::new(keys::CIRCLE.into(), "").newest_first().after(after.take());
            let mut entries: Vec<Entry> = self.items(range, Page::first(part)).await?;
            let is_end = entries.len() < part;
            passed += entries.len();
            after = entries.last().map(|entry| keys::circle(entry.last.id));
            entries.retain(|entry| seen.insert(entry.ticket));
            // Whatever of them is withdrawn, the first ones are passed over.
            let may_be_shown = entries.iter().skip(page.offset.saturating_sub(listed));
            let comments = may_be_shown.map(|entry| entry.last.clone()).collect();
            let (batches, (comments, _)) = tokio::try_join!(
                self.shown_batches(entries.iter().map(|entry| (entry.batch, entry.project))),
                self.comment_views(viewer, Votes::NotShown, comments, []),
            )?;
            let mut comments: HashMap<_, _> = comments.into_iter().map(|view| (view.comment.id, view)).collect();
            for Entry { ticket: ticket_id, batch, last, .. } in entries {
                let Some(batch) = batches.get(&batch).filter(|_| listed < page.end()) else { continue };
                if listed < page.offset {
                    listed += 1;
                } else if let Some(comment) = comments.remove(&last.id) {
                    listed += 1;
                    shown.push((TicketView { ticket_id, batch: batch.clone() }, comment));
                }
            }
            if is_end || listed >= page.end() || passed >= page.end() + MOST_PASSED {
                return Ok(shown);
            }
        }
    }
}
