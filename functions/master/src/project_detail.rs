use shared::wire::{dialect::D, operation::*, values::ProjectNumber};

use crate::shown::ListedProject;

/// Read about a project with its master (document D).
#[derive(Deserialize, JsonSchema)]
pub struct ProjectDetail {
    project_id: ProjectNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedProject {
    #[serde(flatten)]
    project: ListedProject,
    /// How many of its tickets are not sold, those held by an order included.
    ticket_count: u64,
}

impl Operation for ProjectDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, DetailedProject>;
    const ROUTE: Route = Route::post("/project_detail");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let ProjectNumber(id) = self.project_id;
        let (view, ticket_count) = tokio::try_join!(app.store.project(caller, id), app.store.unsold_tickets(id))?;
        Ok(Named::new(DetailedProject { project: view.into(), ticket_count }))
    }
}
