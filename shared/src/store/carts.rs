//! Shopping carts: a user's, one item.
use serde::{Deserialize, Serialize};

use super::{
    Content, keys,
    table::{Action, Store},
    tickets::{OpenTicket, Ticket, TicketBatch, TicketView},
};
use crate::{
    domain::{Millis, Refusal, Thing, TicketId, UserId},
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
            let (batch, open, cart) = tokio::try_join!(
                self.get::<Content<TicketBatch>>(keys::ticket_batch(ticket.batch)),
                self.get::<OpenTicket>(open.clone()),
                self.cart(user),
            )?;
            batch.filter(|batch| !batch.withdrawn).ok_or_else(none)?;
            open.ok_or(Refusal::Conflict(words!("this ticket is sold", "这张票已售出")))?;
            if cart.holds(id) {
                return Ok((vec![], ()));
            }
            let mut tickets = cart.tickets.clone();
            if tickets.len() >= MOST {
                // Those of withdrawn records are not shown, so nobody could remove them.
                let batches = self.batches_of(tickets.iter().map(|entry| entry.batch)).await?;
                tickets.retain(|entry| batches.get(&entry.batch).is_some_and(|batch| !batch.withdrawn));
            }
            if tickets.len() >= MOST {
                return Err(Refusal::Conflict(words!(
                    "the shopping cart holds 100 tickets, which is the most: remove one first",
                    "购物车最多放 100 张票，请先移除一张"
                )));
            }
            tickets.push(CartEntry { ticket: id, batch: ticket.batch, added_at: self.system.now() });
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
        let batches = self.batches_of(cart.tickets.iter().map(|entry| entry.batch)).await?;
        let shown = |entry: &CartEntry| {
            let batch = batches.get(&entry.batch).filter(|batch| !batch.withdrawn)?.clone();
            Some(CartTicket { view: TicketView { ticket_id: entry.ticket, batch }, added_at: entry.added_at })
        };
        Ok(cart.tickets.iter().rev().filter_map(shown).collect())
    }
}
