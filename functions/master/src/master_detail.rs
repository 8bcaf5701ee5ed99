use shared::wire::{dialect::D, operation::*, values::MasterHex};

use crate::shown::SeenMaster;

/// Read about a master, and how many follow them (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MasterDetail {
    master_id: MasterHex,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedMaster {
    #[serde(flatten)]
    master: SeenMaster,
    /// 0: masters follow nobody.
    follow_count: u64,
    /// 0: masters write no articles.
    article_count: u64,
    follower_count: u64,
}

impl Operation for MasterDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, DetailedMaster>;
    const ROUTE: Route = Route::post("/master_detail");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let (view, counts) = app.store.master(caller, self.master_id.0).await?;
        Ok(Named::new(DetailedMaster {
            master: view.into(),
            follow_count: 0,
            article_count: 0,
            follower_count: counts.followers,
        }))
    }
}
