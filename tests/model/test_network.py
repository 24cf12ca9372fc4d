import naive
import numpy as np
import pytest
import torch
from scipy import signal

from skcoad.model._encoders import DilatedLayer
from skcoad.model._network import CoADNetwork, initialise

P, N, T = 4, 6, 24


def make_network(**parameters):
    settings = {
        "patch_size": P,
        "hidden_size": 8,
        "n_layers": 2,
        "encoder": "conv",
        "branches": "both",
        "fusion": "max",
        "masking": "soft",
        "with_reference": False,
    }
    network = CoADNetwork(**(settings | parameters))
    initialise(network, torch.Generator().manual_seed(0))
    return network


def windows(n_windows=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_windows, T, generator=generator)


def reference_for(network):
    return windows(seed=9) if network.with_reference else None


def captured_input(network, module, call):
    """Input that a call of the network gave to one of its modules."""
    inputs = []
    handle = module.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    call()
    handle.remove()
    return inputs[0]


every_network = pytest.mark.parametrize(
    "parameters",
    [
        {"encoder": encoder, "branches": branches, "with_reference": with_reference}
        for encoder in ("conv", "gru")
        for branches in ("both", "time", "frequency")
        for with_reference in (False, True)
    ]
    + [{"masking": masking} for masking in ("hard", "random", "grating")]
    + [{"fusion": "mean"}],
    ids=lambda parameters: "-".join(map(str, parameters.values())),
)


@every_network
def test_outputs_are_probabilities_of_patches_and_points_of_windows(parameters):
    network = make_network(**parameters)
    output = network(windows(), reference_for(network))
    for probability in (output.direct, output.residual, output.probability):
        assert probability.shape == (3, N)
        assert (probability > 0).all()
        assert (probability < 1).all()
    assert output.mask.shape == (3, N)
    assert output.reconstruction.shape == (3, T)


@every_network
def test_a_window_has_the_same_output_alone_and_in_a_batch(parameters):
    network = make_network(**parameters)
    x, reference = windows(), reference_for(network)
    together = network(x, reference)
    for i in range(len(x)):
        alone = network(x[i : i + 1], None if reference is None else reference[[i]])
        for one, all_ in zip(alone, together, strict=True):
            torch.testing.assert_close(one[0], all_[i], atol=1e-5, rtol=1e-5)


def test_final_probability_is_the_mean_of_both():
    output = make_network()(windows(), None)  # Eq. 9
    torch.testing.assert_close(
        output.probability, (output.direct + output.residual) / 2
    )


def test_patches_equal_the_reference_implementation():
    network, x = make_network(), windows()
    cut = network.patches(x[:, None, :, None])
    expected = [naive.patches(window, P) for window in x.tolist()]
    np.testing.assert_allclose(cut, expected)
    # Two views of two values: a patch holds one view after the other.
    views = torch.randn(1, 2, T, 2)
    patch = network.patches(views)[0, 1]
    expected = views[0, :, P : 2 * P].reshape(-1)
    torch.testing.assert_close(patch, expected)


def test_spectrum_of_the_frequency_branch_equals_the_reference_implementation():
    network, x = make_network(), windows()
    parts = network.stft(x).numpy()
    spectrum = parts[..., :3] + 1j * parts[..., 3:]
    taper = signal.get_window("boxcar", 4)
    for i, window in enumerate(x.double().tolist()):
        np.testing.assert_allclose(spectrum[i], naive.stft(window, taper), atol=1e-5)


def test_frequency_branch_sees_the_spectrum_of_whole_windows_in_patches():
    network, x = make_network(), windows()
    captured = captured_input(
        network, network.encoders["frequency"], lambda: network.encode(x, None)
    )
    expected = network.stft(x).reshape(len(x), N, P * 6)
    torch.testing.assert_close(captured, expected)


def test_branches_with_reference_also_see_the_residual_to_it():
    network, x = make_network(with_reference=True), windows()
    reference = reference_for(network)
    captured = captured_input(
        network, network.encoders["time"], lambda: network.encode(x, reference)
    )
    both = [x.reshape(-1, N, P), (x - reference).reshape(-1, N, P)]
    torch.testing.assert_close(captured, torch.cat(both, dim=-1))


@pytest.mark.parametrize("fusion", ["max", "mean"])
def test_fusion_equals_the_reference_implementation(fusion):
    network = make_network(fusion=fusion)
    logits = [torch.randn(1, N), torch.randn(1, N)]
    probabilities = [torch.sigmoid(branch)[0].tolist() for branch in logits]
    expected = naive.fuse(probabilities, fusion)
    np.testing.assert_allclose(network.fuse(logits)[0], expected, rtol=1e-5)


def test_soft_mask_equals_the_reference_implementation():
    network, x = make_network(), windows()
    mask = torch.rand(len(x), N)
    embedding = captured_input(
        network, network.decoder, lambda: network.reconstruct(x, None, mask)
    )
    for i, window in enumerate(x.tolist()):
        expected = naive.soft_mask(
            naive.patches(window, P),
            mask[i].tolist(),
            network.mask_embedding[0].tolist(),
            network.patch_embedding.weight.tolist(),
            network.patch_embedding.bias.tolist(),
        )
        np.testing.assert_allclose(embedding[i].detach(), expected, atol=1e-5)


def test_the_mask_is_the_probability_or_the_decision():
    x = windows()
    soft = make_network(masking="soft")(x, None)
    torch.testing.assert_close(soft.mask, soft.direct)
    hard = make_network(masking="hard")(x, None)
    torch.testing.assert_close(hard.mask, (hard.direct > 0.5).float())
    torch.testing.assert_close(hard.direct, soft.direct)


@pytest.mark.parametrize(("masking", "flows"), [("soft", True), ("hard", False)])
def test_gradients_reach_the_classifier_from_the_reconstruction_only_by_a_soft_mask(
    masking, flows
):
    network = make_network(masking=masking, branches="time")
    output = network(windows(), None)
    output.reconstruction.square().sum().backward()
    for module in (network.heads, network.encoders):
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        assert any(g.abs().sum() > 0 for g in gradients) == flows


def test_all_parameters_have_a_gradient_from_the_joint_output():
    network = make_network(with_reference=True, fusion="mean")
    output = network(windows(), reference_for(network))
    (output.probability.sum() + output.reconstruction.square().sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        if name != "residual_head.logit.bias":
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("encoder", ["conv", "gru"])
def test_what_is_masked_wholly_does_not_leak_into_the_reconstruction(encoder):
    network, x = make_network(encoder=encoder), windows()
    mask = torch.zeros(len(x), N)
    mask[:, 2] = 1
    other = x.clone()
    other[:, 2 * P : 3 * P] += 100
    torch.testing.assert_close(
        network.reconstruct(x, None, mask), network.reconstruct(other, None, mask)
    )


@pytest.mark.parametrize("masking", ["grating", "random"])
def test_without_guidance_each_patch_is_reconstructed_from_the_others(masking):
    network, x = make_network(masking=masking), windows()
    pattern = torch.tensor([1, 0, 0, 1, 1, 0]) if masking == "random" else None
    output = network(x, None, None, pattern)
    for patch in range(N):
        inside = slice(patch * P, (patch + 1) * P)
        other = x.clone()
        other[:, inside] += 10
        again = network(other, None, None, pattern).reconstruction
        torch.testing.assert_close(again[:, inside], output.reconstruction[:, inside])
        assert not torch.allclose(again, output.reconstruction)


def missing_points(*points):
    missing = torch.zeros(3, T, dtype=torch.bool)
    missing[:, list(points)] = True
    return missing


def test_patches_are_hidden_at_least_by_their_missing_fraction():
    network, x = make_network(), windows()
    missing = missing_points(0, *range(P, 2 * P))
    output = network(x, None, missing)
    assert (output.mask[:, 1] == 1).all()
    expected = 1 / P + (1 - 1 / P) * output.direct[:, 0]
    torch.testing.assert_close(output.mask[:, 0], expected)
    torch.testing.assert_close(output.mask[:, 2:], output.direct[:, 2:])


@pytest.mark.parametrize("masking", ["soft", "hard", "random", "grating"])
def test_interpolated_values_make_no_difference_with_a_reference(masking):
    network, x = make_network(masking=masking, with_reference=True), windows()
    missing = missing_points(*range(5, 15))
    other = torch.where(missing, 50.0, x)
    outputs = [network(w, windows(seed=9), missing) for w in (x, other)]
    for one, same in zip(*outputs, strict=True):
        torch.testing.assert_close(one, same)


@pytest.mark.parametrize("masking", ["soft", "hard", "random", "grating"])
def test_an_empty_missing_mask_is_the_same_as_none(masking):
    network, x = make_network(masking=masking), windows()
    outputs = network(x, None), network(x, None, missing_points())
    for one, same in zip(*outputs, strict=True):
        torch.testing.assert_close(one, same)


@pytest.mark.parametrize("encoder", ["conv", "gru"])
@pytest.mark.parametrize("direction", [1, -1])
def test_encoders_see_both_directions(encoder, direction):
    network = make_network(encoder=encoder, branches="time", n_layers=3)
    x = windows()
    other = x.clone()
    far = slice(0, P) if direction == 1 else slice(T - P, T)
    other[:, far] += 5
    patch = 2 if direction == 1 else N - 3
    before, after = network.encode(x, None), network.encode(other, None)
    assert not torch.allclose(before["time"][:, patch], after["time"][:, patch])


def make_on_meta(seed=0):
    """Make a network the way the model does."""
    with torch.device("meta"):
        network = CoADNetwork(P, 8, 2, "gru", "both", "max", "soft", True)
    network = network.to_empty(device="cpu")
    initialise(network, torch.Generator().manual_seed(seed))
    return network


def test_initialisation_comes_from_the_generator_alone():
    state = torch.random.get_rng_state()
    first, second, other = make_on_meta(), make_on_meta(), make_on_meta(seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, parameter in first.named_parameters():
        assert torch.isfinite(parameter).all()
        assert torch.equal(parameter, second.get_parameter(name))
    assert not torch.equal(first.mask_embedding, other.mask_embedding)
    assert not list(first.buffers())  # they would be lost on the way


def test_a_network_made_on_the_meta_device_computes_as_any_other():
    usual = make_network(encoder="gru", with_reference=True)
    x, reference = windows(), windows(seed=9)
    outputs = zip(make_on_meta()(x, reference), usual(x, reference), strict=True)
    for one, other in outputs:
        torch.testing.assert_close(one, other)


def test_neighbours_beyond_the_window_take_no_memory():
    layer = DilatedLayer(2, dilation=2**30)
    x = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0))
    near = DilatedLayer(2, dilation=4)
    near.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x), near(x))
