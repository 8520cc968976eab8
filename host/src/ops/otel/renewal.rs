//! Exporters whose certificates have been replaced, made anew while the process runs.
//!
//! A collector is shown the new certificate, and checked against the new CA, from the next export on: an exporter that is made anew shares no
//! connection with the one before.

use std::collections::BTreeSet;
use std::sync::Arc;

use opentelemetry_sdk::Resource;
use parking_lot::{Mutex, RwLock};
use tokio_rustls::rustls::ClientConfig;

use super::exporting::Way;
use super::settings::{Destination, SettingsError};
use super::transport::Certificates;

/// How an exporter is made.
pub(super) struct Recipe<E> {
    pub(super) make: fn(&Destination, &Way, ClientConfig) -> Result<E, SettingsError>,
    pub(super) set_resource: fn(&mut E, &Resource),
}

/// The exporter of a signal that is in use.
pub(super) struct CurrentExporter<E> {
    exporter: RwLock<Arc<E>>,
    certificates: RwLock<Arc<Certificates>>,
    /// What the SDK has said of this process.
    resource: Mutex<Option<Resource>>,
    recipe: Recipe<E>,
    destination: Destination,
    way: Way,
}

impl<E> CurrentExporter<E> {
    /// The first one.
    ///
    /// # Errors
    /// The files of the destination are no good.
    pub(super) fn new(destination: &Destination, way: &Way, recipe: Recipe<E>) -> Result<Arc<Self>, SettingsError> {
        let certificates = Certificates::read(destination)?;
        let exporter = (recipe.make)(destination, way, certificates.config(destination)?)?;
        Ok(Arc::new(Self {
            exporter: RwLock::new(Arc::new(exporter)),
            certificates: RwLock::new(Arc::new(certificates)),
            resource: Mutex::default(),
            recipe,
            destination: destination.clone(),
            way: way.clone(),
        }))
    }

    pub(super) fn exporter(&self) -> Arc<E> {
        self.exporter.read().clone()
    }

    /// The SDK says what this process is, before it exports anything.
    pub(super) fn set_resource(&self, resource: &Resource) {
        // To the end: one that is made meanwhile is to have it, too.
        let mut known = self.resource.lock();
        if let Some(exporter) = Arc::get_mut(&mut self.exporter.write()) {
            (self.recipe.set_resource)(exporter, resource);
        }
        *known = Some(resource.clone());
    }
}

/// What may be made anew.
pub(super) trait Renewable: Send + Sync {
    /// Reads the files again. Blocks while it does. None if they hold what they held.
    ///
    /// # Errors
    /// They are no good.
    fn prepare(self: Arc<Self>) -> Result<Option<(Vec<String>, Adopt)>, SettingsError>;
}

/// Puts the new exporter in the place of the one before.
type Adopt = Box<dyn FnOnce() + Send>;

impl<E: Send + Sync + 'static> Renewable for CurrentExporter<E> {
    fn prepare(self: Arc<Self>) -> Result<Option<(Vec<String>, Adopt)>, SettingsError> {
        let before = self.certificates.read().clone();
        let read = before.read_again(&self.destination)?;
        let variables = before.changed(&read, &self.destination);
        if variables.is_empty() {
            return Ok(None);
        }
        let mut exporter = (self.recipe.make)(&self.destination, &self.way, read.config(&self.destination)?)?;
        let adopt: Adopt = Box::new(move || {
            let resource = self.resource.lock();
            if let Some(resource) = &*resource {
                (self.recipe.set_resource)(&mut exporter, resource);
            }
            // An export that is under way ends with the one before.
            *self.exporter.write() = Arc::new(exporter);
            *self.certificates.write() = Arc::new(read);
        });
        Ok(Some((variables, adopt)))
    }
}

/// What comes into force when files of certificates are replaced: all of it, or nothing.
#[derive(Default)]
pub(crate) struct Renewal {
    variables: BTreeSet<String>,
    adopts: Vec<Adopt>,
}

impl Renewal {
    pub(super) fn of(all: impl Iterator<Item = Arc<dyn Renewable>>) -> Result<Self, SettingsError> {
        let mut renewal = Self::default();
        for one in all {
            if let Some((variables, adopt)) = one.prepare()? {
                renewal.variables.extend(variables);
                renewal.adopts.push(adopt);
            }
        }
        Ok(renewal)
    }

    /// The variables whose files hold something else.
    pub(crate) fn variables(&self) -> Vec<String> {
        self.variables.iter().cloned().collect()
    }

    /// Brings it into force. Can't fail.
    pub(crate) fn adopt(self) {
        self.adopts.into_iter().for_each(|adopt| adopt());
    }
}
