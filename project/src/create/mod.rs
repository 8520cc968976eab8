//! New projects: an actor that counts, with a test, and a node to run it in.

mod name;
mod templates;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ProjectError;
use crate::files;
use crate::language::Language;
use crate::project::Project;
use crate::sdk;

use self::name::Name;
use self::templates::Template;

/// A project that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its folder, as it was given.
    pub folder: PathBuf,
    /// The files for people to read and change, by their path in it.
    pub files: Vec<PathBuf>,
}

/// Makes a project in a folder, which is made too. The last part of its path is the project's name. Nothing is downloaded.
///
/// # Errors
/// No project can have that name, or there is something in the folder already.
pub fn create(folder: &Path, language: Language) -> Result<Created, ProjectError> {
    let name = Name::of(folder)?;
    let templates = templates::of(language);
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(ProjectError::Exists(folder.to_owned()));
    }
    for Template { path, text } in templates {
        files::write(&folder.join(name.fill(path)), name.fill(text).as_bytes())?;
    }
    if language == Language::Rust {
        files::write(&folder.join("Cargo.lock"), sdk::cargo_lock().as_bytes())?;
    }
    write_cookie(&folder.join("cookie"))?;
    // Tools of the language, such as an editor, find the SDK at once.
    sdk::unpack(folder, language)?;
    // What was made is a project.
    Project::open(folder, Some(language))?;
    let shown = templates.iter().map(|template| PathBuf::from(name.fill(template.path)));
    Ok(Created {
        folder: folder.to_owned(),
        files: shown.collect(),
    })
}

/// A secret that only its owner can read: a node refuses any other.
fn write_cookie(path: &Path) -> Result<(), ProjectError> {
    use std::io::Write;
    let secret = hex::encode(rand::random::<[u8; 32]>());
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| writeln!(file, "{secret}"));
    written.map_err(ProjectError::file("write", path))
}
