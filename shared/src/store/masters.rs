//! Masters, and their projects.
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::{
    contents::{Content, Record},
    follows::{Counts, Seen},
    keys::{self, Feed, Key},
    table::{Store, full_page},
};
use crate::domain::{Followee, MasterId, MediaId, Millis, Page, ProjectId, Refusal, Thing, UserId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Master {
    pub master_id: MasterId,
    pub name: String,
    pub avatar: MediaId,
    pub intro: String,
    pub address: String,
    /// `YYYY-MM-DD`.
    pub birthday: String,
    pub recommended: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    pub project_id: ProjectId,
    pub master_id: MasterId,
    pub name: String,
    pub image: MediaId,
    pub intro: String,
    pub recommended: bool,
}

/// A project with its master, as somebody sees them.
pub struct ProjectView {
    pub project: Content<Project>,
    pub master: Seen<Master>,
}

/// An entry of a master's own list of projects, and of the feeds of those who follow them.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct ProjectEntry {
    pub project: ProjectId,
    pub master: MasterId,
    pub created_at: Millis,
}

/// The lists of masters.
#[derive(Clone, Copy)]
pub enum MasterList {
    All,
    /// The recommended ones first.
    Recommended,
}

impl MasterList {
    fn name(self) -> &'static str {
        match self {
            Self::All => "masters",
            Self::Recommended => "masters-recommended",
        }
    }
}

/// The lists of projects.
#[derive(Clone, Copy)]
pub enum ProjectList {
    All,
    /// The recommended ones first.
    Recommended,
}

impl ProjectList {
    fn name(self) -> &'static str {
        match self {
            Self::All => "projects",
            Self::Recommended => "projects-recommended",
        }
    }
}

impl Record for Master {
    fn head(&self) -> Key {
        keys::followee_head(self.master_id.into())
    }

    fn counts(&self) -> Key {
        keys::counts(self.master_id)
    }

    fn places(&self, created_at: Millis) -> Vec<Key> {
        let place = |list: MasterList, first| keys::place_hex(list.name(), first, created_at, self.master_id.0);
        vec![place(MasterList::All, false), place(MasterList::Recommended, self.recommended)]
    }

    async fn take_along(&self, store: &Store, withdrawn: bool) -> Result<(), Refusal> {
        let projects = store.project_entries(self.master_id, Page::first(usize::MAX)).await?;
        let heads = projects.iter().map(|entry| keys::project(entry.project)).collect();
        store.take_content_along::<Project>(heads, withdrawn).await
    }
}

impl Record for Project {
    fn head(&self) -> Key {
        keys::project(self.project_id)
    }

    fn owner(&self) -> Option<(Key, Refusal)> {
        Some((keys::followee_head(self.master_id.into()), Refusal::NoSuch(Thing::Master)))
    }

    fn places(&self, created_at: Millis) -> Vec<Key> {
        let place = |list: ProjectList, first| keys::place(list.name(), first, created_at, self.project_id.0);
        vec![place(ProjectList::All, false), place(ProjectList::Recommended, self.recommended)]
    }

    fn entries(&self, created_at: Millis) -> Vec<(Key, impl Serialize)> {
        let entry = ProjectEntry { project: self.project_id, master: self.master_id, created_at };
        let place = keys::content_place(created_at, self.project_id.0);
        vec![(keys::own_entry(Feed::Projects, self.master_id.into(), &place), entry)]
    }
}

impl Store {
    /// A page of a list of masters. Two rounds.
    pub async fn masters(&self, viewer: UserId, list: MasterList, page: Page) -> Result<Vec<Seen<Master>>, Refusal> {
        let masters: Vec<Content<Master>> = self.contents(keys::list(list.name()), page).await?;
        let ids = masters.iter().map(|master| Followee::Master(master.record.master_id)).collect();
        let followed = self.followed_among(viewer, ids).await?;
        let view = |content: Content<Master>| Seen {
            is_follow: followed.contains(&Followee::Master(content.record.master_id)),
            content,
        };
        Ok(masters.into_iter().map(view).collect())
    }

    /// A master with what is counted of them; 404 where there is none, or they are withdrawn. One round.
    pub async fn master(&self, viewer: UserId, id: MasterId) -> Result<(Seen<Master>, Counts), Refusal> {
        let (content, counts, is_follow) = tokio::try_join!(
            self.shown_content(keys::followee_head(id.into()), Thing::Master),
            self.counts(id),
            self.is_following(viewer, id),
        )?;
        Ok((Seen { content, is_follow }, counts))
    }

    /// A page of the masters whom a user follows, the last followed first, those left out that are withdrawn. Two
    /// rounds.
    pub async fn followed_masters(&self, of: UserId, page: Page) -> Result<Vec<Content<Master>>, Refusal> {
        self.followed_contents(of, keys::FOLLOWING_MASTER, page).await
    }

    /// A page of a list of projects. Two rounds.
    pub async fn projects(&self, viewer: UserId, list: ProjectList, page: Page) -> Result<Vec<ProjectView>, Refusal> {
        let projects = self.contents(keys::list(list.name()), page).await?;
        self.project_views(viewer, projects).await
    }

    /// A page of a master's projects, the newest first, while they are not withdrawn. Three rounds.
    pub async fn projects_of(&self, viewer: UserId, master: MasterId, page: Page) -> Result<Vec<ProjectView>, Refusal> {
        let entries = self.project_entries(master, page).await?;
        let (projects, masters) =
            tokio::try_join!(self.projects_by_entry(&entries), self.seen(viewer, vec![master.into()]))?;
        Ok(views(entries, projects, &masters))
    }

    /// A page of the projects of those masters whom the viewer follows, the newest first; at most the newest 1,000.
    /// Three rounds, and more as in [`Store::followed_articles`].
    pub async fn followed_projects(&self, viewer: UserId, page: Page) -> Result<Vec<ProjectView>, Refusal> {
        let reader = &self.read_feed(Feed::Projects, viewer);
        let next = |part: Page, last: Option<ProjectEntry>| {
            reader.part(part, last.map(|last| keys::content_place(last.created_at, last.project.0)))
        };
        full_page(page, next, |entries: Vec<ProjectEntry>| async move {
            let makers = entries.iter().map(|entry| entry.master.into()).collect();
            let masters = reader.followed_makers(makers);
            let (projects, masters) = tokio::try_join!(self.projects_by_entry(&entries), masters)?;
            Ok(views(entries, projects, &masters))
        })
        .await
    }

    /// A project with its master; 404 where there is none, or it is withdrawn. Two rounds.
    pub async fn project(&self, viewer: UserId, id: ProjectId) -> Result<ProjectView, Refusal> {
        let project = self.shown_content(keys::project(id), Thing::Project).await?;
        self.project_views(viewer, vec![project]).await?.pop().ok_or(Refusal::NoSuch(Thing::Project))
    }

    /// A page of the entries of a master's own list. One query.
    async fn project_entries(&self, of: MasterId, page: Page) -> Result<Vec<ProjectEntry>, Refusal> {
        let list = keys::own_entry(Feed::Projects, of.into(), "");
        self.newest(list.pk, Feed::Projects.own_prefix(), page).await
    }

    async fn projects_by_entry(
        &self,
        entries: &[ProjectEntry],
    ) -> Result<HashMap<ProjectId, Content<Project>>, Refusal> {
        self.get_each_lately(entries.iter().map(|entry| entry.project), keys::project).await
    }

    async fn project_views(
        &self,
        viewer: UserId,
        projects: Vec<Content<Project>>,
    ) -> Result<Vec<ProjectView>, Refusal> {
        let masters: BTreeSet<Followee> = projects.iter().map(|project| project.record.master_id.into()).collect();
        let masters = self.seen(viewer, masters.into_iter().collect()).await?;
        let view = |project: Content<Project>| {
            let master = masters.get(&project.record.master_id.into())?.clone();
            Some(ProjectView { project, master })
        };
        Ok(projects.into_iter().filter_map(view).collect())
    }
}

/// What the entries name, but for what is withdrawn.
fn views(
    entries: Vec<ProjectEntry>,
    mut projects: HashMap<ProjectId, Content<Project>>,
    masters: &HashMap<Followee, Seen<Master>>,
) -> Vec<ProjectView> {
    let view = |entry: ProjectEntry| {
        let project = projects.remove(&entry.project).filter(|project| !project.withdrawn)?;
        Some(ProjectView { project, master: masters.get(&entry.master.into())?.clone() })
    };
    entries.into_iter().filter_map(view).collect()
}
