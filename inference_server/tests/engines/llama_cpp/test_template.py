"""Chat templates as Hugging Face's Transformers renders them, and nothing that a model file should not do."""

import datetime

import pytest

from codemodel_server.engines.llama_cpp.template import ChatTemplate

USER = [{"role": "user", "content": "<a> & é"}]


def rendered(template: str) -> str:
    return ChatTemplate(template, "<s>", "</s>").render(USER)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<s><a> & é</s>"),
        ("{% if add_generation_prompt %}go{% endif %}", "go"),
        ("{% if tools is not none or functions is not none %}tools{% endif %}-", "-"),
        ("{{ messages | tojson }}", '[{"role": "user", "content": "<a> & é"}]'),
        ("{{ messages[0] | tojson(indent=1) }}", '{\n "role": "user",\n "content": "<a> & é"\n}'),
        ("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "01"),
        ("{% generation %}said{% endgeneration %}", "said"),
        ("  {% if true %}\nx\n  {% endif %}\ny", "x\ny"),
    ],
)
def test_what_templates_rely_on(template: str, text: str) -> None:
    assert rendered(template) == text


def test_a_template_knows_the_day() -> None:
    before = datetime.datetime.now().date()
    day = datetime.date.fromisoformat(rendered("{{ strftime_now('%Y-%m-%d') }}"))
    assert before <= day <= datetime.datetime.now().date()


def test_a_template_changes_nothing_that_it_is_given() -> None:
    with pytest.raises(Exception, match="unsafe"):
        rendered("{{ messages.append(1) }}")
    assert len(USER) == 1
