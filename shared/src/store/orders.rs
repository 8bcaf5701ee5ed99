//! Orders: tickets that are held for half an hour, then paid for or free again.
//!
//! *Invariant.* A ticket in its project's list of open ones is held by one order at most, and an order that is pending or
//! being charged holds all of its own. Whoever takes a ticket, frees it or sells it does so on condition that it is free,
//! or is held by that very order. A pending order whose time is over counts as cancelled, without anybody having
//! written it: its tickets are free because their holds have ended. Before anybody is asked for money the holds are made
//! endless, so that nothing is charged for what somebody else can take.
//!
//! A transaction takes 100 actions. Of an order of 50 tickets, holding, freeing and charging take one a ticket. Paying
//! takes one a ticket and one a project: of more than 40 projects the rest are counted in a second transaction.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use ring::digest;
use serde::{Deserialize, Serialize};

use super::{
    keys::{self, Key},
    table::{Action, Range, Store, full_page, number, text},
    tickets::{OpenTicket, Ticket, TicketView},
};
use crate::{
    domain::{DAY, Millis, OrderId, Page, ProjectId, Refusal, Thing, TicketId, UserId, hex},
    meter::{Happened, happened},
    words,
};

/// How long a pending order holds its tickets.
const HELD_FOR: Millis = 30 * 60 * 1000;
/// Tickets that one user's pending orders hold at most.
const MOST_HELD: usize = 100;
/// A hold that does not end by itself.
const ENDLESS: Millis = (1 << 53) - 1;
/// How long whoever began a charge has to find out what became of it, before the scheduled check asks; and how long
/// it waits between two questions.
const ASKED_AFTER: Millis = 60_000;
/// Projects whose sold tickets are counted in the transaction that sells them.
const COUNTED_AT_ONCE: usize = 40;

/// Where an order stands. What is pending may have ended by now: see [`Order::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Pending,
    /// The provider was asked for money; what became of it is not known.
    Charging,
    Paid,
    Cancelled,
}

impl Standing {
    /// As it is stored.
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Charging => "charging",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What document D shows as 0, 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    Pending,
    Paid,
    Cancelled,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    pub user: UserId,
    /// In fen.
    pub price: u64,
    pub created_at: Millis,
    updated_at: Millis,
    expires: Millis,
    standing: Standing,
    /// Which try to charge for it is the last.
    pub attempt: u32,
    /// When the scheduled check asks what became of the charge, or counts what is left to be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ask_at: Option<Millis>,
    /// Sold tickets that their projects do not count yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    uncounted: BTreeMap<String, u64>,
}

impl Order {
    pub fn status(&self, now: Millis) -> OrderStatus {
        match self.standing {
            Standing::Pending if self.expires <= now => OrderStatus::Cancelled,
            Standing::Pending | Standing::Charging => OrderStatus::Pending,
            Standing::Paid => OrderStatus::Paid,
            Standing::Cancelled => OrderStatus::Cancelled,
        }
    }

    /// When it came to stand as it does.
    pub fn updated_at(&self, now: Millis) -> Millis {
        match self.standing {
            Standing::Pending if self.expires <= now => self.expires,
            _ => self.updated_at,
        }
    }
}

/// A ticket of an order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderItem {
    pub ticket: TicketId,
    batch: TicketId,
    project: ProjectId,
    /// Its place in the project's list.
    placed_at: Millis,
    /// In fen, when it was ordered.
    pub price: u64,
}

impl OrderItem {
    fn open(&self) -> Key {
        keys::open_ticket(self.project, self.placed_at, self.ticket)
    }
}

/// The tickets of an order, or those that it brought.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct OrderItems {
    pub items: Vec<OrderItem>,
}

/// In a list of orders.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct OrderEntry {
    order: OrderId,
}

/// In the list of those that were paid.
#[derive(Clone, Serialize, Deserialize)]
struct PaidEntry {
    order: OrderId,
    items: Vec<OrderItem>,
}

/// The pending orders of a user, those among them that have ended included until the next one is placed.
#[derive(Clone, Default, Serialize, Deserialize)]
struct PendingOrders {
    /// Goes up with every change.
    version: u64,
    orders: Vec<PendingOrder>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct PendingOrder {
    order: OrderId,
    tickets: usize,
    held_until: Millis,
}

impl PendingOrders {
    /// Puts it back changed, unless it has changed meanwhile.
    fn with(&self, user: UserId, change: impl FnOnce(&mut Vec<PendingOrder>)) -> Action {
        let mut changed = Self { version: self.version + 1, orders: self.orders.clone() };
        change(&mut changed.orders);
        Action::put_over(keys::pending_orders(user), &changed, self.version)
    }

    fn without(&self, user: UserId, order: OrderId) -> Action {
        self.with(user, |orders| orders.retain(|pending| pending.order != order))
    }

    fn held_until(&self, user: UserId, order: OrderId, until: Millis) -> Action {
        self.with(user, |orders| {
            orders.iter_mut().filter(|pending| pending.order == order).for_each(|pending| pending.held_until = until);
        })
    }
}

/// What an idempotency key was used for.
#[derive(Serialize, Deserialize)]
struct Idempotent {
    request: String,
    order: OrderId,
    /// In seconds.
    expires_at: u64,
}

/// Whose an order is. It makes the id one user's alone: the payment provider knows the order by nothing else.
#[derive(Serialize)]
struct OrderOwner {
    user: UserId,
}

/// In the list of charges whose outcome is not known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChargeEntry {
    pub user: UserId,
    pub order: OrderId,
    /// It is known, and has to be paid back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
}

/// A charge for an order that could not be had for it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub order: OrderId,
    pub attempt: u32,
    /// In fen.
    pub amount: u64,
    /// When the scheduled check pays it back, if nobody has.
    ask_at: Millis,
    /// How often it was asked for.
    asked: u32,
}

impl Refund {
    fn key(&self) -> Key {
        keys::refund(self.ask_at, self.order, self.attempt)
    }

    /// To be asked for again, in a minute at first, then in twice as long each time, up to a day.
    fn later(self, now: Millis) -> Self {
        let wait = (ASKED_AFTER << self.asked.min(16)).min(DAY);
        Self { ask_at: now + wait, asked: self.asked + 1, ..self }
    }
}

/// What an order waits for.
#[derive(Clone, Debug)]
pub enum Due {
    /// To find out what became of its charge.
    Charge(Order),
    /// That its projects count what it sold.
    Count(Order),
    Nothing,
}

/// What came of settling a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The order stands as the charge says.
    Done,
    /// There is nothing that the charge could pay for: it is noted that it has to be paid back.
    Gone(Refund),
}

/// An order with all that belongs to it, as it is now.
struct WholeOrder {
    order: Order,
    items: Vec<OrderItem>,
    pending: PendingOrders,
}

impl Store {
    /// Holds all of the tickets or none, as one order; with `from_cart` only such as are in the cart, out of which they
    /// go. With an idempotency key, a repeat gives the same order, and another request 409. 404 where there is no such
    /// ticket, 409 where one is sold or held, or the user would hold more than 100. Two rounds and a transaction.
    pub async fn place_order(
        &self,
        user: UserId,
        tickets: &[TicketId],
        from_cart: bool,
        idempotency_key: Option<&str>,
    ) -> Result<OrderId, Refusal> {
        let request = &request_hash(tickets, from_cart);
        let build = |_| async move {
            let now = self.system.now();
            let idempotent = idempotency_key.map(|key| keys::idempotent(user, key));
            let used = async {
                match &idempotent {
                    Some(key) => self.get::<Idempotent>(key.clone()).await,
                    None => Ok(None),
                }
            };
            let cart = async {
                match from_cart {
                    true => self.cart(user).await.map(Some),
                    false => Ok(None),
                }
            };
            let (used, heads, pending, cart) = tokio::try_join!(
                used,
                self.get_each::<_, Ticket>(tickets.iter().copied(), keys::head),
                self.get::<PendingOrders>(keys::pending_orders(user)),
                cart,
            )?;
            if let Some(used) = used.filter(|used| used.expires_at > now / 1000) {
                return match used.request == *request {
                    true => Ok((vec![], (used.order, false))),
                    false => Err(Refusal::KeyUsed),
                };
            }
            if let Some(missing) = cart.iter().find_map(|cart| tickets.iter().find(|ticket| !cart.holds(**ticket))) {
                return Err(Refusal::NotInCart(*missing));
            }
            let items = self.items_to_order(tickets, &heads).await?;
            let pending = pending.unwrap_or_default();
            let live = pending.orders.iter().filter(|pending| pending.held_until > now);
            if live.map(|pending| pending.tickets).sum::<usize>() + items.len() > MOST_HELD {
                return Err(Refusal::Conflict(words!(
                    "your pending orders hold 100 tickets, which is the most: pay or cancel one",
                    "未支付的订单最多占用 100 张票，请先支付或取消一个"
                )));
            }
            let id = OrderId::fresh(&self.system);
            let order = Order {
                id,
                user,
                price: items.iter().map(|item| item.price).sum(),
                created_at: now,
                updated_at: now,
                expires: now + HELD_FOR,
                standing: Standing::Pending,
                attempt: 0,
                ask_at: None,
                uncounted: BTreeMap::new(),
            };
            let new = PendingOrder { order: id, tickets: items.len(), held_until: order.expires };
            let mut actions = vec![
                // Somebody else's order may have drawn the same id.
                Action::put_new(keys::order_owner(id), &OrderOwner { user }).or_again(),
                Action::put_new(keys::order(user, id), &order).or_again(),
                Action::put_new(keys::unpaid_order(user, id), &OrderEntry { order: id }).or_again(),
                pending.with(user, |orders| {
                    orders.retain(|pending| pending.held_until > now);
                    orders.push(new);
                }),
            ];
            if let Some(key) = idempotent {
                let used = Idempotent { request: request.clone(), order: id, expires_at: (now + DAY) / 1000 };
                let put = Action::put(key, &used).when("attribute_not_exists(pk) OR expires_at <= :now");
                actions.push(put.with(":now", number(now / 1000)).or_again());
            }
            actions.extend(cart.map(|cart| cart.without(user, tickets)));
            actions.extend(items.iter().map(|item| {
                let hold = Action::update(item.open(), "SET held_until = :until, held_by = :order");
                let hold =
                    hold.when("attribute_exists(pk) AND (attribute_not_exists(held_until) OR held_until <= :now)");
                let hold = hold.with(":until", number(order.expires)).with(":order", number(id.0));
                hold.with(":now", number(now)).or_refuse(Refusal::TicketTaken(item.ticket))
            }));
            actions.push(Action::put_new(keys::order_items(user, id), &OrderItems { items }).or_again());
            Ok((actions, (id, true)))
        };
        let placed = self.transact(build).await.map(|(id, is_new)| {
            if is_new {
                happened(Happened::Orders);
            }
            id
        });
        // What is read in one round was not written in one moment: a repeat may have found the ticket taken or the cart
        // without it by the very order that it is to be answered with.
        let (Err(_), Some(key)) = (&placed, idempotency_key) else {
            return placed;
        };
        let used: Option<Idempotent> = self.get(keys::idempotent(user, key)).await?;
        let is_it = |used: &Idempotent| used.request == *request && used.expires_at > self.system.now() / 1000;
        used.filter(is_it).map_or(placed, |used| Ok(used.order))
    }

    /// What is ordered, as their records say it now. One round.
    async fn items_to_order(
        &self,
        tickets: &[TicketId],
        heads: &HashMap<TicketId, Ticket>,
    ) -> Result<Vec<OrderItem>, Refusal> {
        let none = Refusal::NoSuch(Thing::Ticket);
        let shown = self.shown_batches(heads.values().map(|head| (head.batch, head.project))).await?;
        let item = |ticket: &TicketId| {
            let Ticket { batch, project, created_at: placed_at, .. } = *heads.get(ticket)?;
            let price = shown.get(&batch)?.record.price;
            Some(OrderItem { ticket: *ticket, batch, project, placed_at, price })
        };
        tickets.iter().map(|ticket| item(ticket).ok_or_else(|| none.clone())).collect()
    }

    /// An order of the user's with its tickets; 404 where they have none. One round.
    pub async fn order(&self, user: UserId, id: OrderId) -> Result<(Order, Vec<OrderItem>), Refusal> {
        let (order, items) =
            tokio::try_join!(self.get(keys::order(user, id)), self.get::<OrderItems>(keys::order_items(user, id)),)?;
        Ok((order.ok_or(Refusal::NoSuch(Thing::Order))?, items.ok_or(Refusal::Internal)?.items))
    }

    async fn whole_order(&self, user: UserId, id: OrderId) -> Result<WholeOrder, Refusal> {
        let pending = self.get::<PendingOrders>(keys::pending_orders(user));
        let ((order, items), pending) = tokio::try_join!(self.order(user, id), pending)?;
        Ok(WholeOrder { order, items, pending: pending.unwrap_or_default() })
    }

    /// Cancels a pending order: its tickets are free at once. What is cancelled already is fine; 409 where it is paid,
    /// or a charge for it is under way. A round and a transaction.
    pub async fn cancel_order(&self, user: UserId, id: OrderId) -> Result<(), Refusal> {
        let build = |seen: Option<_>| async move {
            let WholeOrder { order, items, pending } = self.whole_order(user, id).await?;
            let now = self.system.now();
            match (order.standing, order.status(now)) {
                (Standing::Charging, _) => {
                    return Err(Refusal::Conflict(words!(
                        "a payment for this order is under way: ask again in a moment",
                        "此订单正在支付，请稍后再试"
                    )));
                }
                (_, OrderStatus::Paid) => return Err(Refusal::Conflict(words!("this order is paid", "此订单已支付"))),
                (_, OrderStatus::Cancelled) => return Ok((vec![], ())),
                (_, OrderStatus::Pending) => {}
            }
            let mut actions = vec![standing(&order, Standing::Cancelled, now), pending.without(user, id)];
            let held = self.still_held(id, items, seen.is_some()).await?;
            actions
                .extend(held.iter().map(|item| held_by(id, Action::update(item.open(), "REMOVE held_until, held_by"))));
            Ok((actions, ()))
        };
        self.transact(build).await
    }

    /// Those of the tickets that an order holds. All of them, by the invariant; a clock that is ahead of ours may say that
    /// a hold has ended which by ours has not, so that whoever was refused looks.
    async fn still_held(&self, order: OrderId, items: Vec<OrderItem>, look: bool) -> Result<Vec<OrderItem>, Refusal> {
        if !look {
            return Ok(items);
        }
        let by_ticket: HashMap<_, _> = items.iter().map(|item| (item.ticket, *item)).collect();
        let open =
            self.get_each::<_, OpenTicket>(by_ticket.keys().copied(), |ticket| by_ticket[&ticket].open()).await?;
        let is_held = |item: &OrderItem| open.get(&item.ticket).is_some_and(|open| open.held_by == Some(order));
        Ok(items.into_iter().filter(is_held).collect())
    }

    /// Makes the holds of a pending order endless, so that money can be asked for; `None` where it is paid already. An
    /// order whose charge is under way is as it was. 409 where it is cancelled. A round and a transaction.
    pub async fn begin_charge(&self, user: UserId, id: OrderId) -> Result<Option<Order>, Refusal> {
        const CANCELLED: Refusal = Refusal::Conflict(words!(
            "this order is cancelled, or its half hour is over: order again",
            "此订单已取消，或已超过半小时，请重新下单"
        ));
        let build = |seen: Option<_>| async move {
            let WholeOrder { order, items, pending } = self.whole_order(user, id).await?;
            let now = self.system.now();
            match (order.standing, order.status(now)) {
                (Standing::Charging, _) => return Ok((vec![], Some(order))),
                (_, OrderStatus::Paid) => return Ok((vec![], None)),
                (_, OrderStatus::Cancelled) => return Err(CANCELLED),
                (_, OrderStatus::Pending) => {}
            }
            let count = items.len();
            let items = self.still_held(id, items, seen.is_some()).await?;
            if items.len() < count {
                return Err(CANCELLED);
            }
            let ask_at = now + ASKED_AFTER;
            let charging = Order {
                standing: Standing::Charging,
                attempt: order.attempt + 1,
                ask_at: Some(ask_at),
                ..order.clone()
            };
            let mut actions = vec![
                order_as(&order, &charging),
                pending.held_until(user, id, ENDLESS),
                Action::put(keys::charge(ask_at, id), &ChargeEntry { user, order: id, refund: None }),
            ];
            actions.extend(items.iter().map(|item| hold_until(item, id, ENDLESS)));
            Ok((actions, Some(charging)))
        };
        self.transact(build).await
    }

    /// The buyer has paid: the tickets are theirs, or it is noted that the charge has to be paid back. A round and a
    /// transaction, and another one for an order of more than 40 projects.
    pub async fn charge_approved(&self, charged: &Order) -> Result<Settled, Refusal> {
        let Order { user, id, attempt, price: amount, .. } = *charged;
        let build = |seen: Option<_>| async move {
            let WholeOrder { order, items, pending } = self.whole_order(user, id).await?;
            match order.standing {
                Standing::Paid if order.attempt == attempt => return Ok((vec![], (Settled::Done, order))),
                Standing::Charging if order.attempt == attempt => {}
                // A provider that keeps its word never lets it come to this.
                _ => {
                    let ask_at = self.system.now() + ASKED_AFTER;
                    let refund = Refund { order: id, attempt, amount, ask_at, asked: 0 };
                    let entry = ChargeEntry { user, order: id, refund: Some(refund) };
                    return Ok((vec![Action::put(refund.key(), &entry)], (Settled::Gone(refund), order)));
                }
            }
            let count = items.len();
            let items = self.still_held(id, items, seen.is_some()).await?;
            if items.len() < count {
                // Nobody can take what is held without end.
                tracing::error!(order = id.0, "an order under charge has lost a ticket");
                return Err(Refusal::Internal);
            }
            let now = self.system.now();
            let mut sold: BTreeMap<ProjectId, u64> = BTreeMap::new();
            items.iter().for_each(|item| *sold.entry(item.project).or_default() += 1);
            let uncounted = sold.iter().skip(COUNTED_AT_ONCE).map(|(project, sold)| (project.0.to_string(), *sold));
            let mut paid = Order { standing: Standing::Paid, updated_at: now, ..order.clone() };
            paid.uncounted = uncounted.collect();
            let mut actions = vec![pending.without(user, id), Action::delete(keys::unpaid_order(user, id))];
            if paid.uncounted.is_empty() {
                actions.extend(paid.ask_at.take().map(|at| Action::delete(keys::charge(at, id))));
            }
            actions.push(order_as(&order, &paid));
            let sold = sold.into_iter().take(COUNTED_AT_ONCE);
            actions.extend(sold.map(|(project, sold)| Action::add(keys::sold(project, id), "sold", sold as i64)));
            actions.extend(items.iter().map(|item| held_by(id, Action::delete(item.open()))));
            actions.push(Action::put(keys::paid_order(user, id), &PaidEntry { order: id, items }));
            Ok((actions, (Settled::Done, paid)))
        };
        let (settled, order) = self.transact(build).await?;
        if !order.uncounted.is_empty() {
            self.count_sold(&order).await?;
        }
        Ok(settled)
    }

    /// Counts the rest of what a large order sold. A transaction.
    pub async fn count_sold(&self, order: &Order) -> Result<(), Refusal> {
        let Order { user, id, .. } = *order;
        let mut counted = order.clone();
        counted.uncounted.clear();
        let mut actions = vec![];
        if let Some(at) = counted.ask_at.take() {
            actions.push(Action::delete(keys::charge(at, id)));
        }
        let put = Action::put(keys::order(user, id), &counted).when("attribute_exists(uncounted)").or_done();
        actions.push(put);
        for (project, sold) in &order.uncounted {
            let project = project.parse().map_err(|_| Refusal::Internal)?;
            actions.push(Action::add(keys::sold(ProjectId(project), id), "sold", *sold as i64));
        }
        self.transact_once(actions).await
    }

    /// Nothing was paid: the order is pending again, until the time that it always had. A round and a transaction.
    pub async fn charge_declined(&self, charged: &Order) -> Result<(), Refusal> {
        let Order { user, id, attempt, .. } = *charged;
        let build = |seen: Option<_>| async move {
            let WholeOrder { order, items, pending } = self.whole_order(user, id).await?;
            if order.standing != Standing::Charging || order.attempt != attempt {
                return Ok((vec![], ()));
            }
            let declined = Order { standing: Standing::Pending, ask_at: None, ..order.clone() };
            let mut actions = vec![order_as(&order, &declined), pending.held_until(user, id, order.expires)];
            actions.extend(order.ask_at.map(|at| Action::delete(keys::charge(at, id))));
            let items = self.still_held(id, items, seen.is_some()).await?;
            actions.extend(items.iter().map(|item| hold_until(item, id, order.expires)));
            Ok((actions, ()))
        };
        self.transact(build).await
    }

    /// What an order waits for. One round.
    pub async fn due(&self, user: UserId, id: OrderId) -> Result<Due, Refusal> {
        let order: Option<Order> = self.get(keys::order(user, id)).await?;
        Ok(match order {
            Some(order) if order.standing == Standing::Charging => Due::Charge(order),
            Some(order) if !order.uncounted.is_empty() => Due::Count(order),
            _ => Due::Nothing,
        })
    }

    /// Charges that were begun a minute ago or more and are not settled or not paid back, those that wait longest first,
    /// of each of the list's eight parts so many. One round.
    pub async fn charges_under_way(&self, of_each_part: usize) -> Result<Vec<ChargeEntry>, Refusal> {
        let now = self.system.now();
        let parts = (0..keys::PARTS).map(|part| {
            let range = Range::new(keys::charges(part), "").up_to(format!("{now:013}~"));
            self.items::<ChargeEntry>(range, Page::first(of_each_part))
        });
        let parts = futures_util::future::try_join_all(parts).await?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// Puts a charge of which the provider still says nothing behind the others. A transaction.
    pub async fn ask_later(&self, order: &Order) -> Result<(), Refusal> {
        let Order { user, id, .. } = *order;
        let Some(asked_at) = order.ask_at else {
            return Ok(());
        };
        let ask_at = self.system.now() + ASKED_AFTER;
        let later = Order { ask_at: Some(ask_at), ..order.clone() };
        let actions = vec![
            // It was settled meanwhile, or somebody else was here.
            order_as(order, &later).or_done(),
            Action::delete(keys::charge(asked_at, id)),
            Action::put(keys::charge(ask_at, id), &ChargeEntry { user, order: id, refund: None }),
        ];
        self.transact_once(actions).await
    }

    /// A charge was paid back. One write.
    pub async fn paid_back(&self, refund: &Refund) -> Result<(), Refusal> {
        self.transact_once(vec![Action::delete(refund.key())]).await
    }

    /// Puts what could not be paid back yet behind the others, the further the more often it was asked for. A transaction.
    pub async fn pay_back_later(&self, user: UserId, refund: &Refund) -> Result<(), Refusal> {
        let later = refund.later(self.system.now());
        let mut actions =
            vec![Action::put(later.key(), &ChargeEntry { user, order: refund.order, refund: Some(later) })];
        if later.key() != refund.key() {
            // Or somebody else was here.
            actions.push(Action::delete_there(refund.key()).or_done());
        }
        self.transact_once(actions).await
    }

    /// A page of the user's orders, the newest first, of all or those of one status. One round for all, two for those of
    /// one status; costs its page, and of those that are cancelled also the small entries that the offset passes over.
    pub async fn orders(&self, user: UserId, status: Option<OrderStatus>, page: Page) -> Result<Vec<Order>, Refusal> {
        let pk = keys::user(user);
        match status {
            None => self.newest(pk, keys::ORDER, page).await,
            Some(OrderStatus::Pending) => {
                let newest_first = self.pending_orders(user).await?.into_iter().rev();
                self.orders_of(user, newest_first.skip(page.offset).take(page.limit).collect(), status).await
            }
            Some(OrderStatus::Paid) => {
                let entries: Vec<OrderEntry> = self.newest(pk, keys::PAID, page).await?;
                self.orders_of(user, entries.iter().map(|entry| entry.order).collect(), status).await
            }
            Some(OrderStatus::Cancelled) => {
                // Which of them are not, at most 100, one item says: of those that are passed over none is read.
                let (pending, entries) = tokio::try_join!(
                    self.pending_orders(user),
                    self.newest::<OrderEntry>(pk, keys::UNPAID, Page::first(page.end() + MOST_HELD)),
                )?;
                let cancelled = entries.into_iter().map(|entry| entry.order).filter(|order| !pending.contains(order));
                self.orders_of(user, cancelled.skip(page.offset).take(page.limit).collect(), status).await
            }
        }
    }

    /// Which of the user's orders are pending. One read.
    pub(super) async fn pending_orders(&self, user: UserId) -> Result<BTreeSet<OrderId>, Refusal> {
        let (now, pending) = (self.system.now(), self.get::<PendingOrders>(keys::pending_orders(user)).await?);
        let orders = pending.unwrap_or_default().orders.into_iter();
        Ok(orders.filter(|pending| pending.held_until > now).map(|pending| pending.order).collect())
    }

    /// Those of the orders that have a status, the newest first. One round.
    async fn orders_of(
        &self,
        user: UserId,
        ids: Vec<OrderId>,
        status: Option<OrderStatus>,
    ) -> Result<Vec<Order>, Refusal> {
        let orders = self.get_each::<_, Order>(ids, |id| keys::order(user, id)).await?;
        let now = self.system.now();
        let mut orders: Vec<_> = orders.into_values().filter(|order| status == Some(order.status(now))).collect();
        orders.sort_by_key(|order| std::cmp::Reverse(order.id));
        Ok(orders)
    }

    /// A page of the tickets that the user has bought, those of the newest order first. Two rounds.
    pub async fn bought_tickets(&self, user: UserId, page: Page) -> Result<Vec<TicketView>, Refusal> {
        let next = |part: Page, last: Option<PaidEntry>| {
            let after = last.map(|last| keys::paid_order(user, last.order));
            self.items(Range::new(keys::user(user), keys::PAID).newest_first().after(after), part)
        };
        let items = full_page(Page::first(page.end()), next, |entries: Vec<PaidEntry>| async {
            Ok(entries.into_iter().flat_map(|entry| entry.items).collect())
        });
        let items: Vec<OrderItem> = items.await?.into_iter().skip(page.offset).collect();
        let batches = self.batches_of(items.iter().map(|item| item.batch)).await?;
        let view =
            |item: OrderItem| Some(TicketView { ticket_id: item.ticket, batch: batches.get(&item.batch)?.clone() });
        Ok(items.into_iter().filter_map(view).collect())
    }
}

/// What tells one request to order from another.
fn request_hash(tickets: &[TicketId], from_cart: bool) -> String {
    let tickets: Vec<_> = tickets.iter().map(|ticket| ticket.0).collect();
    hex(digest::digest(&digest::SHA256, format!("{from_cart} {tickets:?}").as_bytes()).as_ref())
}

/// Puts an order in the place of what was seen of it, unless it has changed meanwhile.
fn order_as(seen: &Order, order: &Order) -> Action {
    let asked = if seen.ask_at.is_some() { "ask_at = :asked" } else { "attribute_not_exists(ask_at)" };
    let put = Action::put(keys::order(order.user, order.id), order);
    let put = put.when(format!("standing = :standing AND attempt = :attempt AND {asked}"));
    let put = put.with(":standing", text(seen.standing.name())).with(":attempt", number(seen.attempt));
    put.with_all(seen.ask_at.map(|at| (":asked".into(), number(at))).into_iter().collect()).or_again()
}

fn standing(seen: &Order, standing: Standing, now: Millis) -> Action {
    order_as(seen, &Order { standing, updated_at: now, ..seen.clone() })
}

/// On condition that this order holds the ticket.
fn held_by(order: OrderId, action: Action) -> Action {
    action.when("held_by = :order").with(":order", number(order.0)).or_look()
}

fn hold_until(item: &OrderItem, order: OrderId, until: Millis) -> Action {
    held_by(order, Action::update(item.open(), "SET held_until = :until").with(":until", number(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_is_stored_under_its_name() {
        for standing in [Standing::Pending, Standing::Charging, Standing::Paid, Standing::Cancelled] {
            assert_eq!(serde_json::to_value(standing).unwrap(), standing.name());
        }
    }
}
