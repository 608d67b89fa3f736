"""What goes over MQTT, as JSON Schema (2020-12): one file a topic, published with the project.

Within one version keys are only added; receivers pass over what they do not know.
"""

VERSION = 1  # in every payload that is an object, as `schema`
