//! Paying, cancelling, buying what has expired and the scheduled check, call by call, against each other: every
//! interleaving of two, and a thousand at random of all with somebody dying at a call to the table or the provider.
//! In the end each order is paid once and its tickets are its buyer's, or it is not paid, or was paid back.
use std::sync::Arc;

use shared::{
    App,
    domain::{DAY, MINUTE, OrderId, Page, Refusal, TicketId, UserId},
    meter::{Happened, metered},
    outside::Charge,
    store::{Changes, Due, OrderStatus, Settled, SignUp},
};

use crate::{
    masters::batch,
    payments::{Bank, Mood, shop},
    support::{Chance, Gate, Test, Work},
};

/// How long an order is held.
const HOLD: u64 = 30 * MINUTE;

/// What is done at the same time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Pay,
    Cancel,
    /// The half hour is over, and somebody else takes the ticket.
    Snatch,
    /// The schedule's minute is there.
    Check,
}

/// What somebody was told.
#[derive(Debug)]
struct Told {
    act: Act,
    outcome: Result<(), Refusal>,
}

struct Scene {
    test: Test,
    bank: Bank,
    gate: Gate,
    tickets: u64,
}

/// An order of one ticket, its buyer, and whoever else would like to have it.
#[derive(Clone, Copy)]
struct Deal {
    buyer: UserId,
    rival: UserId,
    ticket: TicketId,
    order: OrderId,
}

impl Scene {
    async fn new() -> Self {
        let bank = Bank::open().await;
        Self { test: shop(&bank).await, bank, gate: Gate::default(), tickets: 0 }
    }

    fn app(&self) -> &Arc<App> {
        &self.test.plaza.app
    }

    async fn user(&self, name: &str) -> UserId {
        self.test.wait(1);
        let by = SignUp::ThirdParty("qq", name.to_owned());
        self.app().store.create_user(&by, None, Changes::default()).await.unwrap().id
    }

    /// A pending order; with `frozen` one that was charged for, but nobody knows.
    async fn deal(&mut self, frozen: bool) -> Deal {
        self.tickets += 1;
        let (buyer, rival) =
            (self.user(&format!("b{}", self.tickets)).await, self.user(&format!("r{}", self.tickets)).await);
        let ticket = TicketId(10_000 + self.tickets);
        self.app().store.import_tickets(&batch(ticket.0, 1, 1), false).await.unwrap();
        self.test.wait(1);
        let order = self.app().store.place_order(buyer, &[ticket], false, None).await.unwrap();
        if frozen {
            self.bank.meets([Mood::BreaksOff]);
            assert_eq!(self.app().pay_order(buyer, order).await, Err(Refusal::PaymentUnknown));
        }
        Deal { buyer, rival, ticket, order }
    }

    /// From now on each call waits for its turn.
    fn hold(&self) {
        self.test.line.hold_at(Some(self.gate.clone()));
        self.bank.hold_at(Some(self.gate.clone()));
    }

    fn let_go(&self) {
        self.test.line.hold_at(None);
        self.bank.hold_at(None);
        self.bank.forget_moods();
    }

    fn work(&self, deal: Deal, act: Act) -> Work<Told> {
        let app = self.app().clone();
        match act {
            // Long after whoever pays has begun.
            Act::Check => self.test.wait(MINUTE),
            Act::Snatch => self.test.wait(HOLD),
            Act::Pay | Act::Cancel => {}
        }
        self.gate.work(async move {
            let outcome = match act {
                Act::Pay => app.pay_order(deal.buyer, deal.order).await,
                Act::Cancel => app.store.cancel_order(deal.buyer, deal.order).await,
                Act::Snatch => app.store.place_order(deal.rival, &[deal.ticket], false, None).await.map(drop),
                Act::Check => {
                    ::payments::handle(&app).await;
                    Ok(())
                }
            };
            Told { act, outcome }
        })
    }

    /// Whatever happened: all that is left is done, and everybody has what they paid for.
    async fn is_right(&self, deal: Deal, told: &[Told], what: &str) {
        let store = &self.app().store;
        for _ in 0..10 {
            self.test.wait(2 * MINUTE);
            let answer = ::payments::handle(self.app()).await;
            assert_eq!(answer.failed, 0, "{what}");
            if answer.asked == 0 {
                break;
            }
        }
        let now = self.app().system.now();
        let mut owners = 0;
        for user in [deal.buyer, deal.rival] {
            let owned = store.bought_tickets(user, Page::first(10)).await.unwrap().len();
            let orders = store.orders(user, None, Page::first(10)).await.unwrap();
            let mut paid = 0;
            for order in orders {
                assert!(matches!(store.due(user, order.id).await, Ok(Due::Nothing)), "{what}: something is left");
                let charged = self.bank.charged(order.id.0);
                match order.status(now) {
                    OrderStatus::Paid => {
                        assert_eq!(charged, (order.price, 1), "{what}: paid");
                        paid += 1;
                    }
                    status => assert_eq!(charged, (0, 0), "{what}: {status:?}"),
                }
            }
            assert_eq!(owned, paid, "{what}: of one ticket each");
            owners += owned;
        }
        assert!(owners <= 1, "{what}: one ticket, two owners");
        let (order, _) = store.order(deal.buyer, deal.order).await.unwrap();
        for Told { act, outcome } in told {
            match (act, outcome) {
                (Act::Pay, Ok(())) => assert_eq!(order.status(now), OrderStatus::Paid, "{what}: told that it is paid"),
                (Act::Cancel, Ok(())) => assert_eq!(order.status(now), OrderStatus::Cancelled, "{what}: told so"),
                (Act::Pay, Err(no)) => assert!([402, 409, 503].contains(&no.code()), "{what}: {no:?}"),
                (_, Err(no)) => assert!([409, 503].contains(&no.code()), "{what}: {no:?}"),
                _ => {}
            }
        }
    }

    /// Two acts in every order of their calls; how many there are.
    async fn every_interleaving(&mut self, acts: [Act; 2], frozen: bool, mood: Mood) -> usize {
        let mut turns: Vec<usize> = vec![];
        for number in 1.. {
            let deal = self.deal(frozen).await;
            self.bank.meets([mood]);
            self.hold();
            let mut works = acts.map(|act| Some(self.work(deal, act)));
            let (mut told, mut at) = (vec![], 0);
            while works.iter().any(Option::is_some) {
                let whose = match &works {
                    [Some(_), Some(_)] => {
                        if at == turns.len() {
                            turns.push(0);
                        }
                        at += 1;
                        turns[at - 1]
                    }
                    [Some(_), None] => 0,
                    _ => 1,
                };
                if let Some(done) = works[whose].as_mut().unwrap().step().await {
                    told.push(done);
                    works[whose] = None;
                }
            }
            self.let_go();
            let what = format!("{acts:?}, frozen {frozen}, {mood:?}, in the order {turns:?}: {told:?}");
            self.is_right(deal, &told, &what).await;
            // The next one: the last turn that was the first's is the second's.
            turns.truncate(at);
            while turns.pop_if(|turn| *turn == 1).is_some() {}
            match turns.last_mut() {
                Some(turn) => *turn = 1,
                None => return number,
            }
        }
        unreachable!()
    }

    /// Of these acts, with every outcome of the first question.
    async fn all_of(acts: [Act; 2], frozen: bool) {
        let mut scene = Self::new().await;
        for mood in [Mood::Good, Mood::Declines, Mood::BreaksOff] {
            let count = scene.every_interleaving(acts, frozen, mood).await;
            println!("{acts:?}, frozen {frozen}, {mood:?}: {count} interleavings");
            assert!(count > 1);
        }
    }
}

/// Each pair, of a pending order and of one whose charge broke off.
macro_rules! pairs {
    ($($(#[$when:meta])* $name:ident: $one:ident, $other:ident;)*) => {$(
        mod $name {
            use super::*;

            $(#[$when])*
            #[tokio::test]
            async fn pending() {
                Scene::all_of([Act::$one, Act::$other], false).await;
            }

            $(#[$when])*
            #[tokio::test]
            async fn frozen() {
                Scene::all_of([Act::$one, Act::$other], true).await;
            }
        }
    )*};
}

pairs! {
    #[ignore = "takes minutes: cargo test -p local --test all payment_races -- --ignored"]
    pay_and_pay: Pay, Pay;
    pay_and_cancel: Pay, Cancel;
    pay_and_snatch: Pay, Snatch;
    pay_and_check: Pay, Check;
    cancel_and_cancel: Cancel, Cancel;
    cancel_and_snatch: Cancel, Snatch;
    cancel_and_check: Cancel, Check;
    #[ignore = "takes minutes: cargo test -p local --test all payment_races -- --ignored"]
    check_and_check: Check, Check;
    check_and_snatch: Check, Snatch;
}

#[tokio::test]
async fn a_thousand_at_random_with_deaths() {
    const ACTS: [Act; 4] = [Act::Pay, Act::Cancel, Act::Snatch, Act::Check];
    const MOODS: [Mood; 6] = [Mood::Good, Mood::Good, Mood::Declines, Mood::Busy, Mood::BreaksOff, Mood::Garbage];
    let (mut scene, mut chance) = (Scene::new().await, Chance(20_261_125));
    let (mut deaths, mut paid) = (0, 0);
    for number in 0..1_000 {
        let is_frozen = chance.below(4) == 0;
        let deal = scene.deal(is_frozen).await;
        scene.bank.meets((0..6).map(|_| MOODS[chance.below(MOODS.len())]).collect::<Vec<_>>());
        scene.hold();
        let (mut works, mut told): (Vec<Work<Told>>, _) = (vec![], vec![]);
        let (mut to_begin, mut what) = (2 + chance.below(4), format!("{number}, frozen {is_frozen}:"));
        while to_begin > 0 || !works.is_empty() {
            if to_begin > 0 && (works.is_empty() || chance.below(3) == 0) {
                to_begin -= 1;
                // Paying above all: without it there is little to go wrong.
                let act = if chance.below(2) == 0 { Act::Pay } else { ACTS[chance.below(ACTS.len())] };
                works.push(scene.work(deal, act));
                what += &format!(" {act:?} begins;");
                continue;
            }
            let whose = chance.below(works.len());
            let is_dead = match chance.below(12) {
                0 => {
                    works[whose].die().await;
                    true
                }
                1 => {
                    works[whose].die_after_step().await;
                    true
                }
                _ => {
                    let done = works[whose].step().await;
                    let is_done = done.is_some();
                    told.extend(done);
                    what += &format!(" {whose}{}", if is_done { " done;" } else { "" });
                    if is_done {
                        works.remove(whose);
                    }
                    false
                }
            };
            if is_dead {
                deaths += 1;
                what += &format!(" {whose} dies;");
                works.remove(whose);
            }
        }
        scene.let_go();
        what += &format!(" {told:?}");
        scene.is_right(deal, &told, &what).await;
        paid += scene.bank.charged(deal.order.0).1;
    }
    println!("{deaths} deaths, {paid} orders paid");
    assert!(deaths > 500 && paid > 200);
}

/// A provider that breaks its word, declining a charge that it has made: whoever still hears of the charge pays it back,
/// though they die before they have.
#[tokio::test]
async fn what_was_charged_for_an_order_that_is_gone_is_paid_back() {
    let mut scene = Scene::new().await;
    // Nobody dies; dies before asking for the refund; dies before hearing of it; nothing is clear the first time.
    for (dies, mood) in
        [(None, Mood::Good), (Some(false), Mood::Good), (Some(true), Mood::Good), (None, Mood::BreaksOff)]
    {
        let deal = scene.deal(false).await;
        scene.hold();
        let mut pay = scene.work(deal, Act::Pay);
        // Read, begun, asked: approved, and not stored yet.
        for _ in 0..4 {
            assert!(pay.step().await.is_none());
        }
        scene.let_go();
        assert_eq!(scene.bank.charged(deal.order.0).1, 1);
        scene.bank.meets([Mood::Denies, mood]);
        scene.test.wait(2 * MINUTE);
        ::payments::handle(scene.app()).await;
        scene.app().store.cancel_order(deal.buyer, deal.order).await.unwrap();
        scene.app().store.place_order(deal.rival, &[deal.ticket], false, None).await.unwrap();

        scene.hold();
        scene.bank.meets([mood]);
        let mut told = vec![];
        match dies {
            None => {
                while told.is_empty() {
                    told.extend(pay.step().await);
                }
                assert_eq!(told[0].outcome, Err(Refusal::PaymentDeclined));
            }
            Some(after) => {
                // Looked, noted that it has to be paid back; asks the provider.
                for _ in 0..2 {
                    assert!(pay.step().await.is_none());
                }
                match after {
                    true => pay.die_after_step().await,
                    false => pay.die().await,
                }
            }
        }
        scene.let_go();
        scene.is_right(deal, &told, &format!("{dies:?}, {mood:?}")).await;
    }
}

/// A provider that declines to pay back is asked ever more rarely, and each time somebody is told.
#[tokio::test]
async fn what_is_not_paid_back_is_asked_for_once_a_day_in_the_end() {
    let mut scene = Scene::new().await;
    let deal = scene.deal(false).await;
    let (app, store) = (scene.app(), &scene.app().store);
    let charged = store.begin_charge(deal.buyer, deal.order).await.unwrap().unwrap();
    let charge = app.payments().unwrap().charge(charged.id, charged.attempt, charged.price);
    assert_eq!(charge.await, Charge::Approved);
    store.charge_declined(&charged).await.unwrap();
    store.cancel_order(deal.buyer, deal.order).await.unwrap();
    assert!(matches!(store.charge_approved(&charged).await, Ok(Settled::Gone(_))));

    scene.bank.meets([Mood::Declines]);
    let check = async |after: u64| {
        scene.test.wait(after);
        let (answer, taken) = metered(::payments::handle(app)).await;
        assert_eq!(answer.failed, 0);
        (answer.asked, taken.happened.get(&Happened::RefundsFailed).copied().unwrap_or_default())
    };
    let minutes = [1].into_iter().chain((0..11).map(|times| 1 << times)).chain([24 * 60; 3]);
    for wait in minutes.map(|minutes| minutes * MINUTE) {
        assert_eq!(check(wait - 1).await, (0, 0), "{wait}");
        assert_eq!(check(1).await, (1, 1), "{wait}");
    }
    scene.bank.relents();
    assert_eq!(check(DAY).await, (1, 0));
    assert_eq!(check(2 * DAY).await, (0, 0));
    scene.is_right(deal, &[], "paid back in the end").await;
}
