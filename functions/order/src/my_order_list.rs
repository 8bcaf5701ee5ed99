use shared::{
    store::OrderStatus,
    wire::{
        dialect::D,
        operation::*,
        values::{Page, Whole},
    },
};

use crate::shown::ShownOrder;

/// Read the caller's orders, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyOrderList {
    /// Only those of one status: 0 pending, 1 paid, 2 cancelled or not paid in time.
    status: Option<Whole<u8, 0, 2>>,
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MyOrderList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownOrder>>;
    const ROUTE: Route = Route::post("/my_order_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let status = self.status.map(|status| match status.0 {
            0 => OrderStatus::Pending,
            1 => OrderStatus::Paid,
            _ => OrderStatus::Cancelled,
        });
        let orders = app.store.orders(caller, status, self.page.of()).await?;
        let now = app.system.now();
        Ok(Named::new(orders.iter().map(|order| ShownOrder::new(order, now)).collect()))
    }
}
