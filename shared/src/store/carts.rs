//! Shopping carts: a user's, one item.
use serde::{Deserialize, Serialize};

use super::{
    keys,
    table::{Action, Store},
    tickets::{OpenTicket, Ticket, TicketView},
};
use crate::{
    domain::{Millis, ProjectId, Refusal, Thing, TicketId, UserId},
    words,
};

/// Tickets in a cart.
const MOST: usize = 100;

/// A user's cart, the ticket that was put in first first.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Cart {
    /// Goes up with every change.
    version: u64,
    tickets: Vec<CartEntry>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct CartEntry {
    ticket: TicketId,
    batch: TicketId,
    project: ProjectId,
    added_at: Millis,
}

/// A ticket in a cart.
pub struct CartTicket {
    pub view: TicketView,
    /// When it was put in.
    pub added_at: Millis,
}

impl Cart {
    pub fn holds(&self, ticket: TicketId) -> bool {
        self.tickets.iter().any(|entry| entry.ticket == ticket)
    }

    /// What is in it.
    pub fn tickets(&self) -> impl Iterator<Item = TicketId> {
        self.tickets.iter().map(|entry| entry.ticket)
    }

    /// Puts it back without these, unless it has changed meanwhile.
    pub fn without(&self, user: UserId, tickets: &[TicketId]) -> Action {
        let left = self.tickets.iter().filter(|entry| !tickets.contains(&entry.ticket));
        self.changed(user, left.copied().collect())
    }

    fn changed(&self, user: UserId, tickets: Vec<CartEntry>) -> Action {
        Action::put_over(keys::cart(user), &Self { version: self.version + 1, tickets }, self.version)
    }
}

impl Store {
    pub(super) async fn cart(&self, user: UserId) -> Result<Cart, Refusal> {
        Ok(self.get(keys::cart(user)).await?.unwrap_or_default())
    }

    /// Puts a ticket into the user's cart; one that is there stays there. 404 where there is no such ticket, 409 where it is
    /// sold, or the cart has 100. Two rounds and a write.
    pub async fn add_to_cart(&self, user: UserId, id: TicketId) -> Result<(), Refusal> {
        let none = || Refusal::NoSuch(Thing::Ticket);
        let ticket: Ticket = self.get(keys::head(id)).await?.ok_or_else(none)?;
        let open = keys::open_ticket(ticket.project, ticket.created_at, id);
        let build = |_| async {
            let (shown, open, cart) = tokio::try_join!(
                self.shown_batches([(ticket.batch, ticket.project)].into_iter()),
                self.get::<OpenTicket>(open.clone()),
                self.cart(user),
            )?;
            shown.get(&ticket.batch).ok_or_else(none)?;
            open.ok_or(Refusal::Conflict(words!("this ticket is sold", "这张票已售出")))?;
            if cart.holds(id) {
                return Ok((vec![], ()));
            }
            let mut tickets = cart.tickets.clone();
            if tickets.len() >= MOST {
                // Those of withdrawn records are not shown, so nobody could remove them.
                let shown = self.shown_batches(tickets.iter().map(|entry| (entry.batch, entry.project))).await?;
                tickets.retain(|entry| shown.contains_key(&entry.batch));
            }
            if tickets.len() >= MOST {
                return Err(Refusal::Conflict(words!(
                    "the shopping cart holds 100 tickets, which is the most: remove one first",
                    "购物车最多放 100 张票，请先移除一张"
                )));
            }
            let Ticket { batch, project, .. } = ticket;
            tickets.push(CartEntry { ticket: id, batch, project, added_at: self.system.now() });
            Ok((vec![cart.changed(user, tickets)], ()))
        };
        self.transact(build).await
    }

    /// Takes a ticket out of the user's cart; one that is not there is fine. A read and a write.
    pub async fn remove_from_cart(&self, user: UserId, ticket: TicketId) -> Result<(), Refusal> {
        let build = |_| async move {
            let cart = self.cart(user).await?;
            let changes = cart.holds(ticket).then(|| cart.without(user, &[ticket]));
            Ok((changes.into_iter().collect(), ()))
        };
        self.transact(build).await
    }

    /// The user's whole cart, the ticket that was put in last first; those of withdrawn records are left out. Two
    /// rounds.
    pub async fn cart_tickets(&self, user: UserId) -> Result<Vec<CartTicket>, Refusal> {
        let cart = self.cart(user).await?;
        let batches = self.shown_batches(cart.tickets.iter().map(|entry| (entry.batch, entry.project))).await?;
        let shown = |entry: &CartEntry| {
            let batch = batches.get(&entry.batch)?.clone();
            Some(CartTicket { view: TicketView { ticket_id: entry.ticket, batch }, added_at: entry.added_at })
        };
        Ok(cart.tickets.iter().rev().filter_map(shown).collect())
    }
}
