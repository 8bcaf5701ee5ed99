//! Games.
use serde::{Deserialize, Serialize};

use super::{
    contents::{Content, Record},
    keys::{self, Key},
    table::Store,
};
use crate::domain::{GameId, MediaId, Millis, Page, Refusal, Subject, Thing, UserId};

const LIST: &str = "games";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Game {
    pub game_id: GameId,
    pub name: String,
    pub image: MediaId,
    pub intro: String,
    pub recommended: bool,
}

/// A game as somebody sees it.
pub struct GameView {
    pub game: Content<Game>,
    pub is_collect: bool,
}

impl Record for Game {
    fn head(&self) -> Key {
        keys::head(self.game_id)
    }

    fn places(&self, created_at: Millis) -> Vec<Key> {
        vec![keys::place(LIST, self.recommended, created_at, self.game_id.0)]
    }
}

impl Store {
    /// A page of all games, the recommended ones first, then the newest. Two rounds.
    pub async fn games(&self, viewer: UserId, page: Page) -> Result<Vec<GameView>, Refusal> {
        let games: Vec<Content<Game>> = self.contents(keys::list(LIST), page).await?;
        let subjects: Vec<_> = games.iter().map(|game| Subject::Game(game.record.game_id)).collect();
        let collected = self.collected_among(viewer, subjects).await?;
        let view = |game: Content<Game>| GameView {
            is_collect: collected.contains(&Subject::Game(game.record.game_id)),
            game,
        };
        Ok(games.into_iter().map(view).collect())
    }

    /// A game; 404 where there is none, or it is withdrawn. One round.
    pub async fn game(&self, viewer: UserId, id: GameId) -> Result<GameView, Refusal> {
        let (game, collected) = tokio::try_join!(
            self.shown_content::<Game>(keys::head(id), Thing::Game),
            self.collected_among(viewer, vec![id.into()]),
        )?;
        Ok(GameView { game, is_collect: !collected.is_empty() })
    }
}
