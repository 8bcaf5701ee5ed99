//! Run every minute: finds out what became of charges whose outcome was not known, for the orders that nobody pays again,
//! and pays back what was charged for orders that were gone.
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use shared::{App, store::ChargeEntry};

/// Charges that one run asks about, of each of the list's eight parts. What waits longest comes first, and what was asked
/// about goes behind the others: none is passed over for good.
const OF_EACH_PART: usize = 25;
/// Questions at a time: a provider that answers none for eight seconds costs a run 40.
const AT_ONCE: usize = 40;

/// What EventBridge sends; nothing of it matters.
#[derive(Deserialize)]
pub struct Tick {}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Answer {
    /// Charges that were asked about.
    pub asked: usize,
    /// Of these, those that could not be dealt with: the next run asks again.
    pub failed: usize,
}

/// Asks about a number of charges that were begun a minute ago or more. One that fails does not keep the others.
pub async fn handle(app: &App) -> Answer {
    let under_way = match app.store.charges_under_way(OF_EACH_PART).await {
        Ok(under_way) => under_way,
        Err(failure) => {
            tracing::error!(%failure, "the charges under way were not to be read");
            return Answer { asked: 0, failed: 1 };
        }
    };
    let settle = async |entry: ChargeEntry| {
        let settled = app.settle(&entry).await;
        if let Err(failure) = &settled {
            tracing::warn!(order = entry.order.0, %failure, "an order was not settled");
        }
        settled.is_err()
    };
    let asked = under_way.len();
    let failed = stream::iter(under_way).map(settle).buffer_unordered(AT_ONCE).filter(|failed| {
        let failed = *failed;
        async move { failed }
    });
    Answer { asked, failed: failed.count().await }
}
