use shared::{
    store,
    wire::{dialect::D, operation::*, values::Page},
};

use crate::{master_list::MasterList, shown::ListedMaster};

/// Read all masters, the recommended ones first, then the newest (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MasterRecommendList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MasterRecommendList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<MasterList, Vec<ListedMaster>>;
    const ROUTE: Route = Route::post("/master_recommend_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let masters = app.store.masters(caller, store::MasterList::Recommended, self.page.of()).await?;
        Ok(Named::new(masters.into_iter().map(ListedMaster::from).collect()))
    }
}
