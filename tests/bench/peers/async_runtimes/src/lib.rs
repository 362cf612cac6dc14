// SPDX-License-Identifier: Apache-2.0
//! What module.cpp has for bridge, with pyo3-async-runtimes.

use futures_util::StreamExt;
use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::{
    future_into_py, get_current_locals, into_future, into_stream_v2, scope,
};
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
fn ready(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async { Ok(1) })
}

#[pyfunction]
fn hop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async {
        tokio::task::yield_now().await;
        Ok(())
    })
}

#[pyfunction]
fn park(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
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
    py.detach(|| {
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
fn await_python(py: Python<'_>, function: Py<PyAny>, count: usize) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async move {
        for _ in 0..count {
            Python::attach(|py| into_future(function.bind(py).call0()?))?.await?;
        }
        Ok(())
    })
}

/// `window` tasks, each of which awaits its share of the objects.
#[pyfunction]
fn await_window(
    py: Python<'_>,
    objects: Vec<Py<PyAny>>,
    window: usize,
) -> PyResult<Bound<'_, PyAny>> {
    let locals = get_current_locals(py)?;
    let mut shares: Vec<Vec<Py<PyAny>>> = (0..window).map(|_| Vec::new()).collect();
    for (i, object) in objects.into_iter().enumerate() {
        shares[i % window].push(object);
    }
    future_into_py(py, async move {
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| {
                tokio::spawn(scope(locals.clone(), async move {
                    for object in share {
                        Python::attach(|py| into_future(object.into_bound(py)))?.await?;
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

#[pyfunction]
fn consume(iterable: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let py = iterable.py();
    let items = into_stream_v2(iterable)?;
    future_into_py(py, async move {
        futures_util::pin_mut!(items);
        let mut sum = 0;
        while let Some(item) = items.next().await {
            sum += Python::attach(|py| item.extract::<i64>(py))?;
        }
        Ok(sum)
    })
}

#[pymodule]
fn peer_async_runtimes(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(ready, module)?)?;
    module.add_function(wrap_pyfunction!(hop, module)?)?;
    module.add_function(wrap_pyfunction!(park, module)?)?;
    module.add_function(wrap_pyfunction!(release, module)?)?;
    module.add_function(wrap_pyfunction!(parked, module)?)?;
    module.add_function(wrap_pyfunction!(await_python, module)?)?;
    module.add_function(wrap_pyfunction!(await_window, module)?)?;
    module.add_function(wrap_pyfunction!(consume, module)?)
}
