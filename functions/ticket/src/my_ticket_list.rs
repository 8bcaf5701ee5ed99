use shared::wire::{dialect::D, operation::*, values::Page};

use crate::shown::ShownTicket;

/// Read the tickets that the caller has bought, those of the newest order first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyTicketList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MyTicketList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownTicket>>;
    const ROUTE: Route = Route::post("/my_ticket_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let tickets = app.store.bought_tickets(caller, self.page.of()).await?;
        Ok(Named::new(tickets.into_iter().map(ShownTicket::from).collect()))
    }
}
