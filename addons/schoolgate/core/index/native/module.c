/* The binding: schoolgate.core.index._native, for CPython's limited API.
 *
 * No format with '#': built on a newer Python than 3.12, it would fail on 3.12.
 */
#define Py_LIMITED_API 0x030C0000
#include <Python.h>
#include <stdlib.h>

#include "sg.h"

static bool text_of(PyObject *object, const uint8_t **text, size_t *size)
{
    Py_ssize_t length = 0;
    const char *utf8 = PyUnicode_AsUTF8AndSize(object, &length);
    *text = (const uint8_t *)utf8;
    *size = (size_t)length;
    return utf8 != NULL;
}

/* -- Reader ---------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    Py_buffer image;
    sg_index index;
} Reader;

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *data;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "Reader takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O:Reader", &data))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Reader *self = (Reader *)allocate(type, 0);
    if (!self)
        return NULL;
    if (PyObject_GetBuffer(data, &self->image, PyBUF_SIMPLE) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    const char *fault = sg_open(&self->index, self->image.buf, (size_t)self->image.len);
    if (fault) {
        PyErr_SetString(PyExc_ValueError, fault);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void reader_dealloc(Reader *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    if (self->image.obj)
        PyBuffer_Release(&self->image);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* The set of a host with what the path entries add; the index remembers it. */
static PyObject *united(Reader *self, uint32_t set, const sg_matches *matches)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)matches->count);
    for (uint32_t i = 0; tuple && i < matches->count; i++) {
        PyObject *match = PyLong_FromUnsignedLong(matches->match[i]);
        if (!match || PyTuple_SetItem(tuple, (Py_ssize_t)i, match) < 0)
            Py_CLEAR(tuple);
    }
    return tuple ? PyObject_CallMethod((PyObject *)self, "_unite", "IN", (unsigned int)set, tuple) : NULL;
}

static PyObject *reader_get(Reader *self, PyObject *const *args, Py_ssize_t n)
{
    const uint8_t *host, *path;
    size_t host_size, path_size;
    if (n != 1 && n != 2) {
        PyErr_Format(PyExc_TypeError, "get takes a host and perhaps a path, not %zd arguments", n);
        return NULL;
    }
    if (!text_of(args[0], &host, &host_size))
        return NULL;
    if (n == 1)
        return PyLong_FromUnsignedLong(sg_get(&self->index, host, host_size));
    if (!text_of(args[1], &path, &path_size))
        return NULL;
    sg_trail trail;
    uint32_t set = sg_get_trail(&self->index, host, host_size, &trail);
    if (trail.count == 0)
        return PyLong_FromUnsignedLong(set);
    sg_matches matches = {.count = SG_MATCHES + 1};
    if (sg_path_is_plain(path, path_size))
        sg_match_path(&self->index, &trail, path, path_size, &matches);
    if (matches.count == 0)
        return PyLong_FromUnsignedLong(set);
    if (matches.count > SG_MATCHES)
        return PyObject_CallMethod((PyObject *)self, "_get_path", "OO", args[0], args[1]);
    return united(self, set, &matches);
}

static PyObject *reader_get_with_paths(Reader *self, PyObject *host_object)
{
    /* The mark of paths (../layout.py) with the closing slash that is taken off every path. */
    static const uint8_t mark[] = {'/', '/', '/'};
    const uint8_t *host;
    size_t host_size;
    if (!text_of(host_object, &host, &host_size))
        return NULL;
    sg_trail trail;
    sg_matches matches;
    uint32_t set = sg_get_trail(&self->index, host, host_size, &trail);
    sg_match_path(&self->index, &trail, mark, sizeof mark, &matches);
    if (matches.count == 0)
        return PyLong_FromUnsignedLong(set);
    if (matches.count > SG_MATCHES)
        return PyObject_CallMethod((PyObject *)self, "_get_with_paths", "O", host_object);
    return united(self, set, &matches);
}

static PyObject *reader_get_many(Reader *self, PyObject *hosts)
{
    enum { BLOCK = 256 };
    const uint8_t *texts[BLOCK];
    size_t sizes[BLOCK];
    uint32_t sets[BLOCK];
    /* A list of our own: nobody can change it meanwhile, and it keeps the texts alive. */
    PyObject *held = PySequence_List(hosts);
    if (!held)
        return NULL;
    Py_ssize_t n = PyList_Size(held);
    PyObject *answers = PyList_New(n);
    for (Py_ssize_t start = 0; answers && start < n; start += BLOCK) {
        Py_ssize_t count = n - start < BLOCK ? n - start : BLOCK;
        for (Py_ssize_t i = 0; i < count; i++)
            if (!text_of(PyList_GetItem(held, start + i), &texts[i], &sizes[i])) {
                Py_CLEAR(answers);
                goto done;
            }
        sg_get_many(&self->index, (size_t)count, texts, sizes, sets);
        for (Py_ssize_t i = 0; i < count; i++) {
            PyObject *set = PyLong_FromUnsignedLong(sets[i]);
            if (!set || PyList_SetItem(answers, start + i, set) < 0) {
                Py_CLEAR(answers);
                goto done;
            }
        }
    }
done:
    Py_DECREF(held);
    return answers;
}

static bool append_step(void *context, const sg_step_found *step)
{
    PyObject *item = Py_BuildValue("(nnI)", (Py_ssize_t)step->host_start, (Py_ssize_t)step->path_end,
        (unsigned int)step->claims);
    if (!item)
        return false;
    int failed = PyList_Append(context, item);
    Py_DECREF(item);
    return !failed;
}

static PyObject *reader_walk(Reader *self, PyObject *args)
{
    PyObject *host_object, *path_object;
    char *host, *path;
    Py_ssize_t host_size, path_size;
    if (!PyArg_ParseTuple(args, "SS:walk", &host_object, &path_object)
        || PyBytes_AsStringAndSize(host_object, &host, &host_size) < 0
        || PyBytes_AsStringAndSize(path_object, &path, &path_size) < 0)
        return NULL;
    PyObject *steps = PyList_New(0);
    if (steps
        && !sg_walk(&self->index, (const uint8_t *)host, (size_t)host_size, (const uint8_t *)path,
            (size_t)path_size, append_step, steps))
        Py_CLEAR(steps);
    return steps;
}

static PyMethodDef reader_methods[] = {
    {"get", (PyCFunction)(void (*)(void))reader_get, METH_FASTCALL,
        "Give the id of the set of categories that a host (and path) is in; 0 for none."},
    {"get_with_paths", (PyCFunction)reader_get_with_paths, METH_O,
        "Give the id of the set of categories that a host or any listed part of it is in."},
    {"get_many", (PyCFunction)reader_get_many, METH_O, "Give the set id of each host."},
    {"walk", (PyCFunction)reader_walk, METH_VARARGS,
        "Give (host start, path end, claim set) of every node with claims that covers host and path."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "Answers from the image of an index. Raises ValueError for an unsound one."},
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    .name = "schoolgate.core.index._native.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = reader_slots,
};

/* -- Builder --------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    sg_builder *builder;
    PyObject *texts; /* what the nodes' names lie in */
    bool finished;
} Builder;

static PyObject *collision; /* the exception of the module */

static bool succeeded(sg_status status)
{
    switch (status) {
    case SG_OK:
        return true;
    case SG_NO_MEMORY:
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        return false;
    case SG_COLLISION:
        PyErr_SetString(collision, "two names share a fingerprint");
        return false;
    case SG_TOO_MANY:
        break;
    }
    PyErr_SetString(PyExc_OverflowError, "more than the index can hold");
    return false;
}

static PyObject *builder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    unsigned long long seed;
    unsigned int tag_bits;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "Builder takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "KI:Builder", &seed, &tag_bits))
        return NULL;
    if (tag_bits < 1 || tag_bits > SG_TAG_BITS) {
        PyErr_SetString(PyExc_ValueError, "the number of tag bits is out of range");
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Builder *self = (Builder *)allocate(type, 0);
    if (!self)
        return NULL;
    self->builder = sg_builder_new(seed, tag_bits);
    self->texts = PyList_New(0);
    if (!self->builder || !self->texts) {
        Py_DECREF(self);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void builder_dealloc(Builder *self)
{
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    sg_builder_free(self->builder);
    Py_XDECREF(self->texts);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

typedef struct {
    size_t *at, count, room;
} refusals;

static bool note_refusal(void *context, size_t start, size_t size)
{
    refusals *noted = context;
    if (noted->count + 2 > noted->room) {
        size_t room = noted->room ? noted->room * 2 : 256;
        size_t *at = realloc(noted->at, room * sizeof *at);
        if (!at)
            return false;
        noted->at = at;
        noted->room = room;
    }
    noted->at[noted->count++] = start;
    noted->at[noted->count++] = start + size;
    return true;
}

static bool is_open(const Builder *self)
{
    if (self->finished)
        PyErr_SetString(PyExc_ValueError, "the builder has finished");
    return !self->finished;
}

static bool keep(Builder *self, PyObject *text)
{
    return is_open(self) && PyList_Append(self->texts, text) == 0;
}

static PyObject *builder_add(Builder *self, PyObject *args)
{
    PyObject *text;
    char *bytes;
    Py_ssize_t size;
    unsigned int pair;
    if (!PyArg_ParseTuple(args, "SI:add", &text, &pair) || PyBytes_AsStringAndSize(text, &bytes, &size) < 0
        || !keep(self, text))
        return NULL;
    refusals noted = {0};
    sg_status status;
    Py_BEGIN_ALLOW_THREADS
    status = sg_builder_add(
        self->builder, (const uint8_t *)bytes, (size_t)size, pair, note_refusal, &noted);
    Py_END_ALLOW_THREADS
    PyObject *spans = succeeded(status) ? PyList_New((Py_ssize_t)(noted.count / 2)) : NULL;
    for (size_t i = 0; spans && i < noted.count; i += 2) {
        PyObject *span = Py_BuildValue("(nn)", (Py_ssize_t)noted.at[i], (Py_ssize_t)noted.at[i + 1]);
        if (!span || PyList_SetItem(spans, (Py_ssize_t)(i / 2), span) < 0)
            Py_CLEAR(spans);
    }
    free(noted.at);
    return spans;
}

static PyObject *builder_add_one(Builder *self, PyObject *args)
{
    PyObject *host_object, *path_object;
    char *host, *path;
    Py_ssize_t host_size, path_size;
    unsigned int claim;
    if (!PyArg_ParseTuple(args, "SSI:add_one", &host_object, &path_object, &claim)
        || PyBytes_AsStringAndSize(host_object, &host, &host_size) < 0
        || PyBytes_AsStringAndSize(path_object, &path, &path_size) < 0 || !keep(self, host_object)
        || !keep(self, path_object))
        return NULL;
    sg_status status = sg_builder_add_one(self->builder, (const uint8_t *)host, (size_t)host_size,
        (const uint8_t *)path, (size_t)path_size, claim);
    return succeeded(status) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *bytes_of(sg_numbers numbers)
{
    return PyBytes_FromStringAndSize(
        (const char *)numbers.numbers, (Py_ssize_t)(numbers.count * sizeof *numbers.numbers));
}

static PyObject *builder_finish(Builder *self, PyObject *args)
{
    PyObject *numbers;
    char *categories;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "S:finish", &numbers)
        || PyBytes_AsStringAndSize(numbers, &categories, &size) < 0 || !is_open(self))
        return NULL;
    self->finished = true;
    sg_builder *builder = self->builder;
    sg_status status;
    Py_BEGIN_ALLOW_THREADS
    status = sg_builder_finish(builder, (const uint16_t *)categories, (uint32_t)(size / 2));
    Py_END_ALLOW_THREADS
    if (!succeeded(status))
        return NULL;
    Py_ssize_t n_bytes = (Py_ssize_t)(sg_builder_n_buckets(builder) * sizeof(sg_bucket));
    PyObject *buckets = PyBytes_FromStringAndSize(NULL, n_bytes);
    if (!buckets)
        return NULL;
    /* Nobody else has seen these bytes yet. */
    char *image = PyBytes_AsString(buckets);
    Py_BEGIN_ALLOW_THREADS
    memset(image, 0, (size_t)n_bytes);
    status = sg_builder_place(builder, (sg_bucket *)image);
    Py_END_ALLOW_THREADS
    if (!succeeded(status)) {
        Py_DECREF(buckets);
        return NULL;
    }
    return Py_BuildValue("(KINNNNNNNN)", (unsigned long long)sg_builder_n_nodes(builder),
        (unsigned int)sg_builder_max_probes(builder), buckets, bytes_of(sg_builder_rows(builder)),
        bytes_of(sg_builder_escapes(builder)), bytes_of(sg_builder_set_ends(builder)),
        bytes_of(sg_builder_set_members(builder)), bytes_of(sg_builder_claim_ends(builder)),
        bytes_of(sg_builder_claim_members(builder)), bytes_of(sg_builder_row_counts(builder)));
}

static PyMethodDef builder_methods[] = {
    {"add", (PyCFunction)builder_add, METH_VARARGS,
        "Take every plain line of a text; give (start, end) of the others."},
    {"add_one", (PyCFunction)builder_add_one, METH_VARARGS, "Take one host and path."},
    {"finish", (PyCFunction)builder_finish, METH_VARARGS, "Give the parts of the file."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot builder_slots[] = {
    {Py_tp_doc, "Collects entries and lays out an index. Raises CollisionError when a seed will not do."},
    {Py_tp_new, builder_new},
    {Py_tp_dealloc, builder_dealloc},
    {Py_tp_methods, builder_methods},
    {0, NULL},
};

static PyType_Spec builder_spec = {
    .name = "schoolgate.core.index._native.Builder",
    .basicsize = sizeof(Builder),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = builder_slots,
};

/* -- the module ------------------------------------------------------------------------------------ */

static PyObject *crc32(PyObject *module, PyObject *data)
{
    (void)module;
    Py_buffer view;
    uint32_t checksum;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    checksum = sg_crc32(view.buf, (size_t)view.len);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLong(checksum);
}

static PyMethodDef functions[] = {
    {"crc32", crc32, METH_O, "Give the CRC-32 of some bytes, as zlib.crc32 does."},
    {NULL, NULL, 0, NULL},
};

static bool add_type(PyObject *module, PyType_Spec *spec, const char *name)
{
    PyObject *type = PyType_FromSpec(spec);
    bool added = type && PyModule_AddObjectRef(module, name, type) == 0;
    Py_XDECREF(type);
    return added;
}

static int fill(PyObject *module)
{
    collision = PyErr_NewException("schoolgate.core.index._native.CollisionError", PyExc_ValueError, NULL);
    if (!collision || PyModule_AddObjectRef(module, "CollisionError", collision) < 0
        || !add_type(module, &reader_spec, "Reader") || !add_type(module, &builder_spec, "Builder"))
        return -1;
    return PyModule_AddObjectRef(module, "CRC32_IS_FAST", sg_crc32_is_fast() ? Py_True : Py_False);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, fill},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "schoolgate.core.index._native",
    .m_doc = "The native reader and builder of the site index.",
    .m_methods = functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
