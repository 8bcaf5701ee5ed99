use shared::{
    store::ProjectList,
    wire::{dialect::D, operation::*, values::Page},
};

use crate::shown::ListedProject;

/// Read all projects, the recommended ones first, then the newest (document D).
#[derive(Deserialize, JsonSchema)]
pub struct ProjectRecommendList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for ProjectRecommendList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedProject>>;
    const ROUTE: Route = Route::post("/project_recommend_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let projects = app.store.projects(caller, ProjectList::Recommended, self.page.of()).await?;
        Ok(Named::new(projects.into_iter().map(ListedProject::from).collect()))
    }
}
