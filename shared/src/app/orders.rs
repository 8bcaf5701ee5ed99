//! Paying for orders: the verbs that need both the table and whoever moves the money.
use crate::{
    App,
    domain::{OrderId, Refusal, UserId},
    meter::{Happened, happened},
    outside::Charge,
    store::{Due, Order, Settled},
};

impl App {
    /// Charges for a pending order of the user's and gives them its tickets; one that is paid is fine. Whatever breaks off
    /// on the way, a repeat or the scheduled check goes on from there, and nothing is charged twice.
    pub async fn pay_order(&self, user: UserId, id: OrderId) -> Result<(), Refusal> {
        match self.store.begin_charge(user, id).await? {
            Some(order) => self.settle_charge(&order).await,
            None => Ok(()),
        }
    }

    /// Brings an order on whose charge was begun and not settled, as the scheduled check does.
    pub async fn settle_order(&self, user: UserId, id: OrderId) -> Result<(), Refusal> {
        match self.store.due(user, id).await? {
            Due::Charge(order) => match self.settle_charge(&order).await {
                // The order is pending again, or cancelled: that is settled.
                Err(Refusal::PaymentDeclined) => Ok(()),
                Err(failure) => {
                    // Behind the others, whatever it was: what fails for good keeps none of them.
                    self.store.ask_later(&order).await?;
                    if failure == Refusal::PaymentUnknown { Ok(()) } else { Err(failure) }
                }
                Ok(()) => Ok(()),
            },
            Due::Count(order) => self.store.count_sold(&order).await,
            Due::Nothing => Ok(()),
        }
    }

    /// Asks what became of a charge, and lets the order stand as it says.
    async fn settle_charge(&self, order: &Order) -> Result<(), Refusal> {
        let payments = self.payments()?;
        match payments.charge(order.id, order.attempt, order.price).await {
            Charge::Unknown => Err(Refusal::PaymentUnknown),
            Charge::Declined => {
                happened(Happened::PaymentsRefused);
                self.store.charge_declined(order).await?;
                Err(Refusal::PaymentDeclined)
            }
            Charge::Approved => match self.store.charge_approved(order).await? {
                Settled::Done => Ok(()),
                Settled::Gone => {
                    let is_paid_back = payments.refund(order.id, order.attempt, order.price).await;
                    tracing::error!(
                        order = order.id.0,
                        is_paid_back,
                        "a charge was approved for an order that is gone"
                    );
                    Err(Refusal::PaymentDeclined)
                }
            },
        }
    }
}
