use shared::wire::{
    dialect::D,
    operation::*,
    values::{ProjectNumber, TicketNumber},
};

use crate::shown::ShownTicket;

/// Read about a ticket (document D), sold or not.
#[derive(Deserialize, JsonSchema)]
pub struct TicketDetail {
    ticket_id: TicketNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct TicketAnswer {
    ticket_detail: DetailedTicket,
    /// How many tickets of its project are not sold, those held by an order included.
    project_ticket_count: u64,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedTicket {
    #[serde(flatten)]
    ticket: ShownTicket,
    project_id: ProjectNumber,
    /// Milliseconds since 1970.
    updated_at: u64,
}

impl Operation for TicketDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = TicketAnswer;
    const ROUTE: Route = Route::post("/ticket_detail");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<TicketAnswer, Refusal> {
        let (ticket, project_ticket_count) = app.store.ticket(self.ticket_id.0).await?;
        let (project_id, updated_at) = (ProjectNumber(ticket.batch.record.project_id), ticket.batch.updated_at);
        let ticket_detail = DetailedTicket { ticket: ticket.into(), project_id, updated_at };
        Ok(TicketAnswer { ticket_detail, project_ticket_count })
    }
}
