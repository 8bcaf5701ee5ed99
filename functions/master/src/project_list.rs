use shared::{
    store,
    wire::{
        dialect::D,
        operation::*,
        values::{MasterHex, Page},
    },
};

use crate::shown::ListedProject;

/// Read projects, the newest first: all, or one master's (document D).
#[derive(Deserialize, JsonSchema)]
pub struct ProjectList {
    /// Whose; everybody's where it is left out.
    master_id: Option<MasterHex>,
    #[schemars(flatten)]
    page: Page,
}

impl Operation for ProjectList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedProject>>;
    const ROUTE: Route = Route::post("/project_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let page = self.page.of();
        let projects = match self.master_id {
            Some(MasterHex(master)) => app.store.projects_of(caller, master, page).await?,
            None => app.store.projects(caller, store::ProjectList::All, page).await?,
        };
        Ok(Named::new(projects.into_iter().map(ListedProject::from).collect()))
    }
}
