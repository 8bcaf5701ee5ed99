//! Paying for orders: the verbs that need both the table and whoever moves the money.
use crate::{
    App,
    domain::{OrderId, Refusal, UserId},
    meter::{Happened, happened},
    outside::Charge,
    store::{ChargeEntry, Due, Order, Refund, Settled},
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

    /// Brings a charge on that was begun and not settled, as the scheduled check does.
    pub async fn settle(&self, entry: &ChargeEntry) -> Result<(), Refusal> {
        if let Some(refund) = &entry.refund {
            return self.pay_back(entry.user, refund).await;
        }
        match self.store.due(entry.user, entry.order).await? {
            Due::Charge(order) => match self.settle_charge(&order).await {
                // The order is pending again, or cancelled: that is settled.
                Ok(()) | Err(Refusal::PaymentDeclined) => Ok(()),
                Err(failure) => {
                    // Behind the others, whatever it was: what fails for good keeps none of them.
                    self.store.ask_later(&order).await?;
                    if failure == Refusal::PaymentUnknown { Ok(()) } else { Err(failure) }
                }
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
                Settled::Gone(refund) => {
                    self.pay_back(order.user, &refund).await?;
                    Err(Refusal::PaymentDeclined)
                }
            },
        }
    }

    /// Pays back what was charged for an order that is gone; what does not come about, the scheduled check tries again.
    async fn pay_back(&self, user: UserId, refund: &Refund) -> Result<(), Refusal> {
        let Refund { order, attempt, amount, .. } = *refund;
        let is_paid_back = self.payments()?.refund(order, attempt, amount).await;
        tracing::error!(order = order.0, attempt, is_paid_back, "a charge was approved for an order that is gone");
        if is_paid_back {
            return self.store.paid_back(refund).await;
        }
        happened(Happened::RefundsFailed);
        self.store.pay_back_later(user, refund).await
    }
}
