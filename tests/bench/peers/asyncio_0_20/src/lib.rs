// SPDX-License-Identifier: Apache-2.0
//! What module.cpp has for bridge, with pyo3-asyncio.
//! No stream: into_stream_v2 of this version loses items.

use pyo3::prelude::*;
use pyo3_asyncio::tokio::{future_into_py, get_current_locals, into_future, scope};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use tokio::sync::oneshot;

static GATES: Mutex<Vec<oneshot::Sender<()>>> = Mutex::new(Vec::new());
static PARKED: AtomicUsize = AtomicUsize::new(0);

/// Counts those futures that have not been dropped.
struct Parked;

impl Parked {
    fn new() -> Self {
        PARKED.fetch_add(1, Ordering::Relaxed);
        Parked
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        PARKED.fetch_sub(1, Ordering::Relaxed);
    }
}

#[pyfunction]
fn ready(py: Python<'_>) -> PyResult<&PyAny> {
    future_into_py(py, async { Ok(1) })
}

#[pyfunction]
fn hop(py: Python<'_>) -> PyResult<&PyAny> {
    future_into_py(py, async {
        tokio::task::yield_now().await;
        Ok(())
    })
}

#[pyfunction]
fn park(py: Python<'_>) -> PyResult<&PyAny> {
    let (gate, opened) = oneshot::channel();
    GATES.lock().unwrap().push(gate);
    let parked = Parked::new();
    future_into_py(py, async move {
        let _parked = parked;
        let _ = opened.await;
        Ok(())
    })
}

#[pyfunction]
fn release(py: Python<'_>) {
    py.allow_threads(|| {
        for gate in std::mem::take(&mut *GATES.lock().unwrap()) {
            let _ = gate.send(());
        }
    })
}

#[pyfunction]
fn parked() -> usize {
    PARKED.load(Ordering::Relaxed)
}

#[pyfunction]
fn await_python(py: Python<'_>, function: PyObject, count: usize) -> PyResult<&PyAny> {
    future_into_py(py, async move {
        for _ in 0..count {
            Python::with_gil(|py| into_future(function.as_ref(py).call0()?))?.await?;
        }
        Ok(())
    })
}

/// `window` tasks, each of which awaits its share of the objects.
#[pyfunction]
fn await_window(py: Python<'_>, objects: Vec<PyObject>, window: usize) -> PyResult<&PyAny> {
    let locals = get_current_locals(py)?;
    let mut shares: Vec<Vec<PyObject>> = (0..window).map(|_| Vec::new()).collect();
    for (i, object) in objects.into_iter().enumerate() {
        shares[i % window].push(object);
    }
    future_into_py(py, async move {
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| {
                tokio::spawn(scope(locals.clone(), async move {
                    for object in share {
                        Python::with_gil(|py| into_future(object.as_ref(py)))?.await?;
                    }
                    PyResult::Ok(())
                }))
            })
            .collect();
        for one in running {
            one.await.unwrap()?;
        }
        Ok(())
    })
}

#[pymodule]
fn peer_asyncio_0_20(_py: Python<'_>, module: &PyModule) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(ready, module)?)?;
    module.add_function(wrap_pyfunction!(hop, module)?)?;
    module.add_function(wrap_pyfunction!(park, module)?)?;
    module.add_function(wrap_pyfunction!(release, module)?)?;
    module.add_function(wrap_pyfunction!(parked, module)?)?;
    module.add_function(wrap_pyfunction!(await_python, module)?)?;
    module.add_function(wrap_pyfunction!(await_window, module)?)
}
