use shared::{
    store,
    wire::{dialect::D, operation::*, values::Page},
};

use crate::shown::ListedMaster;

/// Read all masters, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MasterList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MasterList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedMaster>>;
    const ROUTE: Route = Route::post("/master_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let masters = app.store.masters(caller, store::MasterList::All, self.page.of()).await?;
        Ok(Named::new(masters.into_iter().map(ListedMaster::from).collect()))
    }
}
