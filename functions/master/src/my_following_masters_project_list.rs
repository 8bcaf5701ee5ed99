use shared::wire::{dialect::D, operation::*, values::Page};

use crate::{project_recommend_list::ProjectRecommendList, shown::ListedProject};

/// Read the projects of the masters whom the caller follows, the newest first (document D).
///
/// It goes back to the newest 1,000. A new project is there within seconds; one that was withdrawn, or whose master was
/// unfollowed, is gone at once.
#[derive(Deserialize, JsonSchema)]
pub struct MyFollowingMastersProjectList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MyFollowingMastersProjectList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<ProjectRecommendList, Vec<ListedProject>>;
    const ROUTE: Route = Route::post("/my_following_masters_project_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let projects = app.store.followed_projects(caller, self.page.of()).await?;
        Ok(Named::new(projects.into_iter().map(ListedProject::from).collect()))
    }
}
