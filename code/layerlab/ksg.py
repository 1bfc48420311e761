"""How `information` finds the nearest neighbours of many pairs of vectors in little time.

The estimate asks two things of each of the n points (x, y) of a pair: its radius, that is how far
its k-th neighbour is (the larger of the two coordinate differences counts); and how many points
are nearer than that in x alone, and in y alone. Comparing all points with all others would take
n^2 steps. The way round it:

1. **Sort once.** Each vector is sorted once and shared by all its pairs. From here on a point is
   known by its place in the x-order and its place in the y-order.
2. **Look where neighbours are likely.** Cut the x-order into overlapping slabs and list each
   slab's points in y-order: now the neighbours of a point stand near it in the list. Compare it
   with the `REACH` points before and after. That loop has no branches, only differences, minima
   and maxima, so the compiler makes each instruction work on up to eight points.
3. **Prove.** A point not looked at lies beyond the slab's edge in x, or beyond `REACH` places of
   the list in y. Where both are at least as far as the k-th distance found, that is the radius.
   This settles most points.
4. **Search the rest.** For the others the distance found is an upper bound. Walk outwards from the
   point, both ways at once, along the coordinate in which its surroundings are sparser, no farther
   than the bound, which shrinks on the way.
5. **Count.** How many values of a sorted vector lie within the radius: a few comparisons at whole
   strides from every point, again without branches, then bisection of the last stride, all points
   one step at a time. The window is nearly always wide enough. It compares the very differences
   that made the radius, so that rounding cannot tell them apart.
6. **Tally.** Each count is entered in a tally, and the tally weighted with the digammas at the end.

Half a slab is about as wide as a typical point's square, which is twice its radius: sqrt(k n)
places, if x and y are unrelated. The sorted vectors carry a margin of infinities at both ends,
where every search stops by itself.
"""

import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numba
import numpy as np
from scipy.special import digamma

REACH = 16  # places looked at before and after a point in its slab's list, an even number
N_KEPT = 3  # nearest neighbours that the branch-free loop keeps; for more, all points walk
LANES = 8  # float64 values in the widest vector register: lists are filled up to a multiple
PROBE = 8  # places to either side between which the spread of a coordinate is measured
STRIDES = 8  # parts of the window in which values are counted, to either side; a power of two
BLOCK = 256  # points that bisect together, few enough for the fastest memory
PARTS = 4  # parts of the work for each thread: a thread that is held up takes fewer of them
SMALLEST = 5e-324  # stands for radius zero: "nearer than this" is an exact copy


def digamma_sums(features, targets, first, second, n_neighbors, n_threads=None):
    """Sum of digamma(n_x + 1) + digamma(n_y + 1) over the samples of each pair.

    Parameters
    ----------
    features : ndarray of float64, shape (n_features, n_samples)
        The vectors in the role of x.
    targets : ndarray of float64, shape (n_targets, n_samples)
        The vectors in the role of y.
    first, second : array_like of int, shape (n_pairs,)
        Pair m is ``features[first[m]]`` with ``targets[second[m]]``.
    n_neighbors : int
        The neighbour whose distance is the radius; less than `n_samples`.
    n_threads : int, optional
        Threads that share the pairs, by default `n_threads_by_default`. Each pair is one thread's
        work, so the sums do not depend on their number.

    Returns
    -------
    ndarray, shape (n_pairs,)
        The sums; n_x and n_y count the points nearer than the radius in one coordinate.
    """
    n_samples = features.shape[1]
    half_slab = half_slab_for(n_samples, n_neighbors)
    y_order = targets.argsort(axis=1)
    x_order = _sort_again(features, np.resize(np.roll(y_order, 1, axis=0), features.shape))
    xs, x_places = _arrange(features, x_order, 4 * half_slab)
    ys, _ = _arrange(targets, y_order, 4 * half_slab)
    weights = np.zeros(n_samples + 1)
    weights[1:] = digamma(np.arange(1, n_samples + 1))
    first, second = np.asarray(first), np.asarray(second)
    sums = np.empty(len(first))

    def fill(part):
        tables = xs, ys, x_places, y_order
        pairs = first[part], second[part]
        _fill_sums(*tables, *pairs, n_neighbors, half_slab, weights, sums[part])

    n_threads = n_threads or n_threads_by_default()
    n_parts = min(n_threads if n_threads == 1 else PARTS * n_threads, len(first))
    ends = np.linspace(0, len(first), n_parts + 1).astype(int)
    on_threads(fill, [slice(*both) for both in pairwise(ends)], n_threads)
    return sums


def n_threads_by_default():
    """Numba's number of threads, ``NUMBA_NUM_THREADS`` or else that of the available cores."""
    return numba.config.NUMBA_NUM_THREADS


def on_threads(work, items, n_threads):
    """List of ``work(item)`` for every item, the items shared among threads."""
    if n_threads == 1 or len(items) == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, items))


def half_slab_for(n_samples, n_neighbors):
    """Half the width of a slab: the power of two nearest to sqrt(k n), at least 32."""
    typical = np.sqrt(min(n_neighbors, N_KEPT) * n_samples)
    return int(2 ** max(5, np.round(np.log2(typical))))


def _sort_again(features, guess):
    """Sorting order of each feature: the guess, that of the target before it, wherever it serves.

    Among all pairs of a few vectors, feature v is the same as target v - 1 but for its noise, which
    seldom changes the order: to look whether it did is cheaper than to sort.
    """
    serves = [_is_sorted(feature, order) for feature, order in zip(features, guess, strict=True)]
    order = guess.copy()
    order[np.logical_not(serves)] = features[np.logical_not(serves)].argsort(axis=1)
    return order


def _keeps_code():
    """Whether Numba finds a folder for compiled code; a warning if not, and the way out."""
    try:
        numba.njit(cache=True)(_keeps_code)  # looks for the folder, and compiles nothing
    except RuntimeError as error:
        warnings.warn(
            "compiled code cannot be kept, because neither layerlab's folder nor the user's cache "
            "folder can be written: the first estimate of every process compiles anew, which takes "
            f"some seconds. Set NUMBA_CACHE_DIR to a folder that can be written. (numba: {error})",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


_compiled = partial(numba.njit, cache=_keeps_code(), nogil=True)
_inlined = partial(_compiled, inline="always")


@_compiled
def _is_sorted(vector, order):
    """Whether the vector never falls when it is read in this order."""
    n_falls = 0
    for i in range(1, len(order)):
        n_falls += vector[order[i]] < vector[order[i - 1]]
    return n_falls == 0


@_compiled
def _arrange(vectors, order, pad):
    """Each vector sorted, between `pad` infinities; and the place of each sample in there."""
    n_vectors, n = vectors.shape
    arranged = np.full((n_vectors, n + 2 * pad), np.inf)
    arranged[:, :pad] = -np.inf
    places = np.empty((n_vectors, n), np.int32)
    for v in range(n_vectors):
        for i in range(n):
            arranged[v, pad + i] = vectors[v, order[v, i]]
            places[v, order[v, i]] = pad + i
    return arranged, places


@_compiled
def _fill_sums(xs, ys, x_places, y_order, first, second, k, half_slab, weights, sums):
    """Write the sum of each pair into `sums`."""
    n, length = y_order.shape[1], xs.shape[1]
    pad = 4 * half_slab
    slabs = _empty_slabs(n, half_slab)
    to_x = np.empty(length, np.int32)  # place in the x-order of each place in the y-order
    to_y = np.empty(length, np.int32)
    x_by_y = np.empty(length)
    y_by_x = np.empty(length)
    radius = np.empty(length)  # by place in the x-order
    radius_by_y = np.empty(length)
    unproved = np.empty(n + 1, np.int32)
    nearest = np.empty(k)
    tally = np.empty(n + 1, np.int64)
    moves = np.zeros(2, np.int64)  # what a bisection adds where a value is far, and where near
    ends = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for m in range(len(first)):
        x, y = xs[first[m]], ys[second[m]]
        x_place, sample = x_places[first[m]], y_order[second[m]]
        for j in range(pad, pad + n):
            i = x_place[sample[j - pad]]
            to_x[j], to_y[i] = i, j
            x_by_y[j], y_by_x[i] = x[i], y[j]
        radius[:] = np.inf
        if k <= N_KEPT:
            n_unproved = _look_in_slabs(x, y, to_x, k, half_slab, slabs, radius, unproved)
        else:
            for i in range(n):
                unproved[i] = pad + i
            n_unproved = n
        for i in unproved[:n_unproved]:
            j = to_y[i]
            if x[i + PROBE] - x[i - PROBE] > y[j + PROBE] - y[j - PROBE]:
                radius[i] = _walk(x, y_by_x, i, radius[i], nearest)
            else:
                radius[i] = _walk(y, x_by_y, j, radius[i], nearest)
        for i in range(pad, pad + n):
            radius[i] = _larger(radius[i], SMALLEST)
        for j in range(pad, pad + n):
            radius_by_y[j] = radius[to_x[j]]
        tally[:] = 0
        _tally_counts(x, radius, pad, ends, moves, tally)
        _tally_counts(y, radius_by_y, pad, ends, moves, tally)
        sums[m] = 0.0
        for count in range(1, n + 1):
            sums[m] += tally[count] * weights[count]


@_compiled
def _empty_slabs(n, half_slab):
    """Room for the lists of all slabs: their x, y and places in the x-order; and their ends."""
    own = 2 * half_slab
    n_slabs = (n + own - 1) // own
    width = own + 2 * margin_of(half_slab) + 2 * REACH + LANES
    slab_x = np.zeros((n_slabs, width))
    slab_y = np.zeros((n_slabs, width))
    return slab_x, slab_y, np.zeros((n_slabs, width), np.int32), np.zeros(n_slabs, np.int64)


@_inlined
def margin_of(half_slab):
    """How far a slab reaches into its neighbours."""
    return 3 * half_slab // 4


@_compiled
def _look_in_slabs(x, y, to_x, k, half_slab, slabs, radius, unproved):
    """Lower each radius to the k-th distance in the slabs; list the points it may be too large for.

    A point's distance in its neighbour's slab is a bound as well, so no choice is needed.
    """
    slab_x, slab_y, slab_place, ends = slabs
    n_slabs, width = slab_x.shape
    own, margin, pad = 2 * half_slab, margin_of(half_slab), 4 * half_slab
    _fill_slabs(x, y, to_x, half_slab, slabs)
    a, b, c = np.empty(width), np.empty(width), np.empty(width)  # smallest distances in a slab
    kth = a if k == 1 else (b if k == 2 else c)
    n_unproved = 0
    for s in range(n_slabs):
        list_x, list_y, place = slab_x[s], slab_y[s], slab_place[s]
        n_listed = ends[s] - REACH
        list_y[:REACH] = -np.inf
        list_y[ends[s] :] = np.inf
        _keep_three(list_x, list_y, (n_listed + LANES - 1) // LANES * LANES, a, b, c)
        start = pad + s * own
        end = start + own
        left, right = x[start - margin - 1], x[end + margin]
        for i in range(n_listed):
            j = i + REACH
            beyond_x = _lower(list_x[j] - left, right - list_x[j])
            beyond_y = _lower(list_y[j] - list_y[i], list_y[j + REACH] - list_y[j])
            mine = (place[j] >= start) & (place[j] < end)
            radius[place[j]] = _lower(radius[place[j]], kth[i])
            unproved[n_unproved] = place[j]
            n_unproved += mine & (kth[i] > _lower(beyond_x, beyond_y))
    return n_unproved


@_compiled
def _fill_slabs(x, y, to_x, half_slab, slabs):
    """List the points of every slab in y-order; one near an edge is in two lists."""
    slab_x, slab_y, slab_place, ends = slabs
    margin, pad = margin_of(half_slab), 4 * half_slab
    shift = 0
    while (1 << shift) < 2 * half_slab:
        shift += 1
    ends[:] = REACH
    last = len(ends) - 1
    for j in range(pad, len(y) - pad):
        i, own_x, own_y = to_x[j], x[to_x[j]], y[j]
        s = np.uintp(max(i - pad - margin, 0) >> shift)
        end = np.uintp(ends[s])
        slab_x[s, end], slab_y[s, end], slab_place[s, end] = own_x, own_y, i
        ends[s] = end + 1
        other = np.uintp(min((i - pad + margin) >> shift, last))
        end = np.uintp(ends[other])
        slab_x[other, end], slab_y[other, end], slab_place[other, end] = own_x, own_y, i
        ends[other] = end + (other != s)  # if it is the same slab, the next point overwrites it


@_compiled
def _keep_three(list_x, list_y, n_listed, first, second, third):
    """The three smallest distances of each listed point to those up to `REACH` places away."""
    first[:n_listed] = np.inf
    second[:n_listed] = np.inf
    third[:n_listed] = np.inf
    own_x, own_y = list_x[REACH:], list_y[REACH:]
    for step in range(1, REACH + 1, 2):  # two steps at a time, to load and store less often
        below_x, below_y = list_x[REACH - step :], list_y[REACH - step :]
        lower_x, lower_y = list_x[REACH - step - 1 :], list_y[REACH - step - 1 :]
        above_x, above_y = list_x[REACH + step :], list_y[REACH + step :]
        upper_x, upper_y = list_x[REACH + step + 1 :], list_y[REACH + step + 1 :]
        for i in range(n_listed):
            x, y = own_x[i], own_y[i]
            a, b, c = first[i], second[i], third[i]
            a, b, c = _insert(a, b, c, _larger(abs(below_x[i] - x), y - below_y[i]))
            a, b, c = _insert(a, b, c, _larger(abs(lower_x[i] - x), y - lower_y[i]))
            a, b, c = _insert(a, b, c, _larger(abs(above_x[i] - x), above_y[i] - y))
            a, b, c = _insert(a, b, c, _larger(abs(upper_x[i] - x), upper_y[i] - y))
            first[i], second[i], third[i] = a, b, c


@_inlined
def _insert(a, b, c, d):
    """The three smallest of a <= b <= c and d, in order."""
    not_a = _larger(a, d)
    not_b = _larger(b, not_a)
    return _lower(a, d), _lower(b, not_a), _lower(c, not_b)


@_inlined
def _lower(a, b):
    return a if a < b else b


@_inlined
def _larger(a, b):
    return a if a > b else b


@_compiled
def _walk(along, across, i, bound, nearest):
    """Distance of point i to its k-th neighbour, if that is below the bound, else the bound."""
    nearest[:] = bound
    center, other, last = along[i], across[i], np.uintp(len(along) - 1)
    up, down = np.uintp(i + 1), np.uintp(i - 1)
    while along[up] - center < bound or center - along[down] < bound:
        above = _larger(abs(across[up] - other), along[up] - center)
        below = _larger(abs(across[down] - other), center - along[down])
        if _lower(above, below) < bound:
            for distance in (above, below):
                for slot in range(len(nearest)):
                    pushed = _larger(nearest[slot], distance)
                    nearest[slot] = _lower(nearest[slot], distance)
                    distance = pushed
            bound = nearest[-1]
        up += np.uintp(up < last)  # one way may be far longer than the other
        down -= np.uintp(down > 0)
    return bound


@_compiled
def _tally_counts(values, radius, pad, ends, moves, tally):
    """Enter into the tally how many values lie within each value's radius, itself included."""
    below, above = ends
    stride = pad // STRIDES
    for start in range(pad, len(values) - pad, BLOCK):
        n = min(BLOCK, len(values) - pad - start)
        _stride(values, radius, start, n, -stride, below)
        _stride(values, radius, start, n, stride, above)
        _bisect(values, radius, start, n, stride, moves, below, above)
        for i in range(n):
            if max(-below[i], above[i]) < pad - 1:
                tally[above[i] - below[i] + 1] += 1
            else:  # perhaps more, farther away
                tally[_count(values, start + i, radius[start + i], pad)] += 1


@_compiled
def _stride(values, radius, start, n, stride, ends):
    """How many places, in whole strides, one can go from each of n values and stay near."""
    own_values, own_radius = values[start:], radius[start:]
    a, b, c = values[start + stride :], values[start + 2 * stride :], values[start + 3 * stride :]
    d, e = values[start + 4 * stride :], values[start + 5 * stride :]
    f, g = values[start + 6 * stride :], values[start + 7 * stride :]
    for i in range(n):  # without a loop inside, so that the compiler takes eight i at once
        v, r = own_values[i], own_radius[i]
        n_near = (abs(a[i] - v) < r) + (abs(b[i] - v) < r) + (abs(c[i] - v) < r)
        n_near += (abs(d[i] - v) < r) + (abs(e[i] - v) < r)
        ends[i] = stride * (n_near + (abs(f[i] - v) < r) + (abs(g[i] - v) < r))


@_compiled
def _bisect(values, radius, start, n, step, moves, below, above):
    """Go on from the ends, by ever smaller steps, while the values are near.

    A move is looked up by the comparison. Of a choice or a product, the compiler makes a jump for
    some processors, depending on their timing, and about every other guess at that jump is wrong.
    """
    own_values, own_radius = values[start:], radius[start:]
    while step > 1:
        step >>= 1
        moves[1] = step
        for i in range(n):  # places as unsigned numbers spare numba the care for negative ones
            v, r = own_values[i], own_radius[i]
            lower = values[np.uintp(start + i + below[i] - step)]
            upper = values[np.uintp(start + i + above[i] + step)]
            below[i] -= moves[np.uintp(v - lower < r)]
            above[i] += moves[np.uintp(upper - v < r)]


@_compiled
def _count(values, i, radius, pad):
    """The same for one value, anywhere."""
    outside, within = pad - 1, i
    while within - outside > 1:
        middle = (outside + within) >> 1
        if values[i] - values[middle] < radius:
            within = middle
        else:
            outside = middle
    lower = within
    within, outside = i, len(values) - pad
    while outside - within > 1:
        middle = (outside + within) >> 1
        if values[middle] - values[i] < radius:
            within = middle
        else:
            outside = middle
    return within - lower + 1
