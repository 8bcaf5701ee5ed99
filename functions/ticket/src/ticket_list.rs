use shared::wire::{
    dialect::D,
    operation::*,
    values::{Page, ProjectNumber},
};

use crate::shown::ShownTicket;

/// Read the tickets of a project that can be bought, the newest first (document D): neither sold nor held by an order.
#[derive(Deserialize, JsonSchema)]
pub struct TicketList {
    project_id: ProjectNumber,
    #[schemars(flatten)]
    page: Page,
}

impl Operation for TicketList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownTicket>>;
    const ROUTE: Route = Route::post("/ticket_list");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let tickets = app.store.open_tickets(self.project_id.0, self.page.of()).await?;
        Ok(Named::new(tickets.into_iter().map(ShownTicket::from).collect()))
    }
}
