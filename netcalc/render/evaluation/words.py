"""What the screens of an evaluation and of predictions have in common."""


def percent(part: float | None) -> str:
    """A share with two decimals: `97.25%`; nothing where there is none, and only all of it is `100%`."""
    if part is None:
        return ""
    if part == 1:
        return "100%"
    shown = f"{100 * part:.2f}%"
    return ">99.99%" if shown == "100.00%" else "<0.01%" if shown == "0.00%" and part else shown


def prepared_in_words(normalised_by: str, weights: str) -> str:
    """What the samples were normalised by; `weights` is empty where they are random."""
    if normalised_by == "file":
        return f"Samples are normalised by the mean and deviation that {weights} holds."
    lacking = f"{weights} holds" if weights else "Random weights hold"
    if normalised_by == "spec":
        return f"{lacking} no mean and deviation: samples are normalised by those of the spec."
    return f"{lacking} no mean and deviation: samples are not normalised."
